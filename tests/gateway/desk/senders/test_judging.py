"""The table of refusals is whole: two languages, and the numbers the services are known for."""

import pytest

from gateway.desk.senders.judging import meaning, meanings


def test_every_refusal_has_words_in_both_languages() -> None:
    for service, known in meanings().items():
        for code, means in known.items():
            assert means.zh != means.en, (service, code)
            assert any("一" <= each <= "鿿" for each in means.zh), (service, code)
            assert means.en.isascii(), (service, code)


@pytest.mark.parametrize(
    ("service", "code", "again"),
    [
        ("wecom", 45009, True), ("wecom", 93000, False), ("dingtalk", 310000, False), ("dingtalk", 130101, True),
        ("feishu", 19001, False), ("feishu", 19002, False), ("feishu", 19021, False), ("feishu", 19022, False),
        ("feishu", 19024, False), ("feishu", 11232, True),
    ],
)  # fmt: skip
def test_the_refusals_people_meet_are_known(service: str, code: int, again: bool) -> None:
    found = meaning(service, code)
    assert found is not None
    assert found.again is again


def test_true_is_not_the_number_one() -> None:
    assert meaning("http", True) is None
