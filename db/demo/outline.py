"""The two tenants: who works there, where they sell, and how many rows of each kind they get."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from db.demo import names, places
from db.enums import SubscriptionStatus, UserStatus


class Colleague(NamedTuple):
    """A user; only those of `Outline.accounts` have a password."""

    login: str
    full_name: str
    role: str
    locale: str = "en"
    status: str = UserStatus.ACTIVE


@dataclass(frozen=True, slots=True)
class Outline:
    """What one tenant of the demo is like."""

    slug: str
    name: str
    locale: str
    plan: str
    subscription: SubscriptionStatus
    accounts: tuple[Colleague, ...]
    colleagues: tuple[Colleague, ...]
    companies: tuple[tuple[str, str, str, str], ...]
    sites: tuple[places.Site, ...]
    units_a_site: int
    contacts: int
    leads: int
    deals: int
    activities: int
    sends: int
    calls: int
    messages: int
    log_entries: int

    @property
    def staff(self) -> tuple[Colleague, ...]:
        """Everybody, whether they sign in or not."""
        return self.accounts + self.colleagues

    def email(self, login: str) -> str:
        """The address of a user of this tenant."""
        return f"{login}@{self.slug}.test"


DEMO: Final = Outline(
    slug="demo",
    name="Masr Brokers مصر بروكرز",
    locale="ar",
    plan="growth",
    subscription=SubscriptionStatus.ACTIVE,
    accounts=(
        Colleague("admin", "Mona Shawky", "admin"),
        Colleague("sales", "كريم نصار", "sales_exec", "ar"),
        Colleague("inventory", "Heba Fouad", "inventory_mgr"),
    ),
    colleagues=(
        Colleague("nour.mansour", "نور منصور", "sales_lead", "ar"),
        Colleague("omar.hassan", "Omar Hassan", "sales_exec"),
        Colleague("yara.elshenawy", "يارا الشناوي", "sales_exec", "ar"),
        Colleague("tarek.girgis", "Tarek Girgis", "sales_exec"),
        Colleague("dalia.osman", "داليا عثمان", "inventory_mgr", "ar"),
        Colleague("salma.zaki", "Salma Zaki", "marketing"),
        Colleague("hany.badawy", "هاني بدوي", "finance", "ar", UserStatus.SUSPENDED),
        Colleague("rami.fahmy", "Rami Fahmy", "sales_exec", "en", UserStatus.DEACTIVATED),
    ),
    companies=names.COMPANIES,
    sites=places.SITES,
    units_a_site=28,
    contacts=250,
    leads=300,
    deals=300,
    activities=500,
    sends=60,
    calls=120,
    messages=150,
    log_entries=150,
)

OTHER: Final = Outline(
    slug="other",
    name="Red Sea Realty",
    locale="en",
    plan="starter",
    subscription=SubscriptionStatus.TRIAL,
    accounts=(Colleague("admin", "Peter Boutros", "admin"),),
    colleagues=(
        Colleague("laila.salem", "ليلى سالم", "sales_exec", "ar"),
        Colleague("ziad.helmy", "Ziad Helmy", "inventory_mgr"),
    ),
    companies=names.COMPANIES_OF_OTHER,
    sites=places.SITES_OF_OTHER,
    units_a_site=12,
    contacts=25,
    leads=20,
    deals=20,
    activities=30,
    sends=6,
    calls=10,
    messages=12,
    log_entries=15,
)
