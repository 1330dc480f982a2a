"""Phones as rows: a word is good for five minutes, a secret for one phone alone, a shared one has its own holder."""

import asyncio

from gateway.core.events import Place
from gateway.desk.store import phones
from gateway.desk.store.database import Transaction
from gateway.desk.store.phones import Phone
from tests.desk_parts import NOW, opened


async def let_in(transaction: Transaction, person: str | None, *, after_s: float = 0.0) -> str | None:
    """Have a word made and used so much later; return the phone's secret."""
    token, _ = await phones.offer(transaction, person=person, place=Place(), label="", by="a", now=NOW)
    return await phones.pair(transaction, token, "", NOW + after_s)


def test_a_word_is_good_for_five_minutes_and_a_secret_for_its_own_phone_until_that_is_sent_away(
    where: str,
) -> None:
    async def main() -> list[Phone | None]:
        async with opened(where) as database, database.transaction() as transaction:
            assert await let_in(transaction, "warden-1", after_s=301.0) is None
            first = await let_in(transaction, "warden-1", after_s=299.0)
            second = await let_in(transaction, "warden-2")
            assert first is not None
            assert second is not None
            found = [await phones.known(transaction, each, NOW) for each in (first, second, "a guess")]
            assert found[0] is not None
            assert await phones.revoke(transaction, found[0].phone, NOW)
            return [*found, *[await phones.known(transaction, each, NOW) for each in (first, second)]]

    found = asyncio.run(main())
    names = [each and each.person for each in found]
    assert names == ["warden-1", "warden-2", None, None, "warden-2"]


def test_who_takes_a_shared_phone_has_no_other_shared_one_and_nobodys_own(where: str) -> None:
    async def main() -> list[str]:
        async with opened(where) as database, database.transaction() as transaction:
            secrets = [await let_in(transaction, person) for person in (None, None, "warden-2")]
            known = [await phones.known(transaction, each or "", NOW) for each in secrets]
            for phone in (known[0], known[2]):
                assert phone is not None
                await phones.act(transaction, phone.phone, "warden-1", NOW)
            known = [await phones.known(transaction, each or "", NOW) for each in secrets]
            return [each.holder for each in known if each is not None]

    assert asyncio.run(main()) == ["warden-1", "", "warden-2"]
