// People on cards.
import { h } from "../dom.js";
import { avatar, nameOf } from "../people.js";
import { person as known } from "../store.js";

const no = (value) => value === false || value === "false";
const yes = (value) => value === true || value === "true";

function chip(id, { face, name, capsule, size }) {
  const shown = nameOf(id);
  return h(
    "span",
    { class: `person${capsule ? " capsule" : ""}`, title: shown, data: { person: id } },
    face && avatar(known(id)?.name || shown, known(id)?.kind === "app" ? "app" : "user", size || "tiny"),
    name ? h("span", null, shown) : h("span", { class: "hidden-text" }, shown),
  );
}

// `<person>` inside markdown.
export function personChip(id, attributes) {
  return chip(id, { face: !no(attributes.show_avatar), name: !no(attributes.show_name), capsule: attributes.style === "capsule" });
}

const SIZES = { extra_small: "tiny", small: "small", medium: "", large: "large" };

export function person(component) {
  const face = !no(component.show_avatar);
  return h(
    "div",
    null,
    chip(component.user_id, { face, name: yes(component.show_name) || !face, capsule: component.style === "capsule", size: SIZES[component.size] }),
  );
}

export function personList(component) {
  const persons = Array.isArray(component.persons) ? component.persons : [];
  const name = !no(component.show_name);
  const node = h(
    "div",
    { class: "person-list" },
    persons.map((one) => chip(one.id, { face: yes(component.show_avatar) || !name, name, size: SIZES[component.size] })),
  );
  return node;
}
