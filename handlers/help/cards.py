"""The cards of help: what this person may do, the home card, and what waits for them."""

from __future__ import annotations

from bot.card_context import Look
from bot.cards.values import Action, Block, Button, Buttons, Card, Facts, Item, Items, Line, Note, Tone, Words
from bot.contributions.home import HomeBlock, TodoBlock
from bot.contributions.routing import Command
from bot.permissions import Actor
from bot.texts import Text, text

HELP, HOME, TODO = "help", "home", "todo"


def draw_help(look: Look) -> Card:
    actor = look.actor(str(look.params.get("for", "")))
    wanted = str(look.params.get("command") or "")
    permitted = [pair for pair in look.areas.with_areas(Command) if actor.may(pair[1].permission)]
    one = [command for _, command in permitted if wanted in command.names]
    if one:
        return _one_command(one[0])
    blocks: list[Block] = _no_roles(actor)
    if wanted:
        blocks.append(Line(text("help.no_such", word=wanted)))
    for area in dict.fromkeys(area.name for area, _ in permitted):
        found = [(home, command) for home, command in permitted if home.name == area]
        if (title := found[0][0].title) is not None:
            blocks.append(Line(title, strong=True, tone=Tone.CALM))
        blocks.append(Items(tuple(Item(_usage(command), command.help) for _, command in found)))
    blocks.append(Note(text("help.how")))
    return Card(text("help.title"), tuple(blocks), Tone.CALM)


def _usage(command: Command) -> Words:
    return command.usage or f"/{command.names[0]}"


def _one_command(command: Command) -> Card:
    pairs: list[tuple[Text, Words]] = [(text("help.examples"), _usage(command))]
    if len(command.names) > 1:
        pairs.append((text("help.aliases"), " ".join(f"/{name}" for name in command.names[1:])))
    return Card(text("help.of", name=command.names[0]), (Line(command.help), Facts(tuple(pairs))), Tone.CALM)


def _no_roles(actor: Actor) -> list[Block]:
    if actor.id is not None and actor.roles:
        return []
    return [Line(text("people.no_roles"), strong=True), Line(text("people.ask_admin"))]


def draw_home(look: Look) -> Card:
    actor = look.actor(str(look.params.get("for", "")))
    brought = look.areas.of(HomeBlock)
    buttons = (
        *(block.button for block in brought if block.button is not None),
        Button(text("home.todo"), Action("home.todo")),
        Button(text("home.help"), Action("home.help")),
    )
    standing = [drawn for block in brought for drawn in block.draw(look, actor)]
    blocks = (*_no_roles(actor), *standing, Buttons(buttons), Note(text("home.hello")))
    return Card(text("home.title"), blocks, Tone.CALM)


def draw_todo(look: Look) -> Card:
    """What waits for one person, in every area."""
    actor = look.actor(str(look.params.get("for", "")))
    items = [item for block in look.areas.of(TodoBlock) for item in block.items(look, actor)]
    title = text("todo.title", who=actor.name) if actor.id is not None else text("home.todo")
    if not items:
        return Card(title, (*_no_roles(actor), Line(text("todo.empty"))), Tone.GOOD)
    return Card(title, (Items(tuple(items[:12])),), Tone.WAITING)
