"""Who is rung (document, "Конференц-звонок", `callfrom` and `callto`)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Party:
    """Who is rung, and in which language the sound files speak; without `lang` the server chooses `ru`."""

    phone: str
    lang: str = ""

    def as_json(self) -> dict[str, str]:
        """The form on the wire."""
        return {"phone": self.phone, "lang": self.lang} if self.lang else {"phone": self.phone}
