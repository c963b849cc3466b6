"""`ltpkit login`: a broker's credentials into the system's keyring, and out of it again."""

from __future__ import annotations

from typing import Annotated

import typer

from ltpkit.cli.terminal import console

__all__ = ["login"]


def login(
    broker: Annotated[str, typer.Argument(metavar="BROKER", help="As dhan, kite, upstox or angelone.")],
    *,
    forget: Annotated[bool, typer.Option("--forget", help="Take them out of the keyring instead.")] = False,
) -> None:
    """Keep a broker's credentials in the system's keyring, where streams find them.

    Each is asked for and not shown; an empty answer leaves what is there. The environment and .env go
    before the keyring.
    """
    from ltpkit import credentials, settings
    from ltpkit.errors import SettingError, UnknownFeed
    from ltpkit.feeds import names

    out = console()
    if broker not in names():
        raise UnknownFeed(broker, names())
    variables = list(settings.variables(broker).values())
    if not variables:
        raise SettingError(f"{broker} needs no credentials.")
    if trouble := credentials.keyring_trouble():
        wanted = settings.listed(variables)
        raise SettingError(f"{trouble}\nWithout one, put {wanted} in the environment or in .env.")
    for variable in variables:
        if forget:
            gone = credentials.forget_kept(variable)
            out.print(f"{variable} {'is forgotten' if gone else 'was not kept'}.", soft_wrap=True)
            continue
        given = typer.prompt(variable, default="", hide_input=True, show_default=False).strip()
        if given:
            credentials.keep(variable, given)
        out.print(f"{variable} {'is kept' if given else 'was left as it is'}.", soft_wrap=True)
