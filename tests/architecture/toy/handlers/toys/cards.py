"""Toys on their own card, on a complaint's card, in the digest and in the to-do list."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.card_context import Look
from bot.cards.values import Action, Block, Button, Buttons, Card, Facts, Item, Line, Note, Tone
from bot.contributions.cards import Drawn
from bot.contributions.digests import Digested, Figure
from bot.permissions import Actor
from bot.texts import Text, text
from storage.areas.toys import Toys


def draw(look: Look) -> Card:
    toy = Toys(look.session).get(int(look.subject))
    if toy is None:
        return Card(text("card.gone.title"), (Line(text("card.gone")),), Tone.NEUTRAL)
    pairs = ((text("toy.polished"), text("number", n=toy.polished)),)
    blocks: list[Block] = [Facts(pairs)]
    if toy.given_at is None:
        polish = Button(text("toy.polish"), Action("toy.polish", str(toy.id)))
        give = Button(text("toy.give"), Action("toy.give", str(toy.id)))
        blocks.append(Buttons((polish, give)))
    else:
        blocks.append(Note(text("toy.given", number=toy.number)))
    return Card(text("toy.title", number=toy.number, name=toy.name), tuple(blocks), Tone.CALM)


def on_complaint(look: Look) -> Drawn:
    promised = Toys(look.session).promised(int(look.subject))
    blocks = tuple(Note(text("toy.promised", name=toy.name)) for toy in promised)
    return Drawn(blocks=blocks)


def hold(session: Session, complaint_id: int) -> Text | None:
    promised = Toys(session).promised(complaint_id)
    return text("toy.hold", number=promised[0].number) if promised else None


def digest(look: Look, chat: str, day: datetime) -> Digested:
    return Digested(day=(Figure(text("toy.digest"), text("number", n=Toys(look.session).count()), place=30),))


def todo(look: Look, actor: Actor) -> list[Item]:
    mine = [toy for toy in Toys(look.session).open() if toy.maker_id == actor.id]
    return [Item(text("toy.title", number=toy.number, name=toy.name), text("toy.to_give")) for toy in mine]
