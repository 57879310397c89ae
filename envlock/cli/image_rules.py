"""Rules of envlock.toml for what an image leaves out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from envlock.materialize.tree.rules import Action, Rule, user_rule

if TYPE_CHECKING:
    from envlock.config.load import Config


def user_rules(config: Config) -> tuple[Rule, ...]:
    """Return the rules that ``[[normalize]]`` adds to the built-in ones."""
    return tuple(user_rule(rule.path, Action(rule.action)) for rule in config.normalize)
