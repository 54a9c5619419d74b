// Which function draws which component tag.
import { button } from "./button.js";
import { chart } from "./chart.js";
import { checker, multiSelect, overflow, select, selectImage } from "./choices.js";
import { actionRow, collapsible, columnSet, form, interactive, note } from "./containers.js";
import { moment } from "./dates.js";
import { combination, div, image, line, markdownBlock, plainText } from "./display.js";
import { input } from "./inputs.js";
import { person, personList } from "./persons.js";
import { table } from "./table.js";

export const family = {
  markdown: markdownBlock,
  div,
  plain_text: plainText,
  lark_md: markdownBlock,
  img: image,
  img_combination: combination,
  hr: line,
  person,
  person_list: personList,
  table,
  chart,
  column_set: columnSet,
  form,
  interactive_container: interactive,
  collapsible_panel: collapsible,
  button,
  input,
  select_static: select,
  select_person: select,
  multi_select_static: multiSelect,
  multi_select_person: multiSelect,
  date_picker: moment,
  picker_time: moment,
  picker_datetime: moment,
  overflow,
  checker,
  select_img: selectImage,
  action: actionRow, // 1.0 cards only
  note, // 1.0 cards only
};
