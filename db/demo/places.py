"""What is built where: developers, their projects and the kinds of unit in them. The firms are invented."""

from typing import Final, NamedTuple


class Kind(NamedTuple):
    """A kind of unit: what it is called, its rooms, and the square metres it has at least and at most."""

    english: str
    arabic: str
    bedrooms: int
    bathrooms: int
    size: tuple[int, int]
    floors: tuple[int, int] = (0, 7)


KINDS: Final = {
    "STUDIO": Kind("Studio", "استوديو", 0, 1, (38, 55)),
    "APT_1BR": Kind("1-bedroom apartment", "شقة غرفة واحدة", 1, 1, (60, 85)),
    "APT_2BR": Kind("2-bedroom apartment", "شقة غرفتين", 2, 2, (95, 130)),
    "APT_3BR": Kind("3-bedroom apartment", "شقة ثلاث غرف", 3, 2, (140, 190)),
    "DUPLEX_3BR": Kind("3-bedroom duplex", "دوبلكس ثلاث غرف", 3, 3, (190, 250), (0, 5)),
    "TOWN_3BR": Kind("Townhouse", "تاون هاوس", 3, 3, (200, 260), (0, 0)),
    "VILLA_4BR": Kind("4-bedroom villa", "فيلا أربع غرف", 4, 5, (300, 480), (0, 0)),
    "CHALET_2BR": Kind("2-bedroom chalet", "شاليه غرفتين", 2, 2, (85, 125), (0, 3)),
    "OFFICE": Kind("Office", "مكتب إداري", 0, 1, (45, 220), (1, 11)),
    "SHOP": Kind("Shop", "محل تجاري", 0, 1, (30, 150), (0, 1)),
}
OWN_KINDS: Final = tuple(code for code in KINDS if code not in ("APT_1BR", "APT_2BR", "VILLA_4BR"))
"""Those that are no global codes, so that each tenant brings them."""

COMMERCIAL: Final = frozenset({"OFFICE", "SHOP"})

OWN_ROOMS: Final = {"RECEPTION": "Reception / ريسبشن", "GARDEN": "Private garden / حديقة خاصة"}


class Room(NamedTuple):
    """A part of a unit, and how many metres it usually has."""

    english: str
    arabic: str
    length: float
    width: float


ROOMS: Final = {
    "RECEPTION": Room("Reception", "ريسبشن", 6.4, 4.6),
    "ROOM_BED": Room("Bedroom", "غرفة نوم", 4.2, 3.6),
    "ROOM_BATH": Room("Bathroom", "حمام", 2.4, 1.8),
    "KITCHEN_STD": Room("Kitchen", "مطبخ", 3.6, 2.8),
    "BALCONY_STD": Room("Balcony", "بلكونة", 3.0, 1.5),
    "GARDEN": Room("Garden", "حديقة", 12.0, 8.0),
}


class Builder(NamedTuple):
    """A developer."""

    name: str
    domain: str
    address: str


DEVELOPERS: Final = {
    "nile": Builder("Nile Crown Developments", "nilecrown", "90th Street North, New Cairo"),
    "wadi": Builder("Wadi Gardens", "wadigardens", "26th of July Corridor, Sheikh Zayed"),
    "delta": Builder("دلتا العمران للتطوير العقاري", "deltaomran", "شارع الجمهورية، المنصورة"),
    "sahel": Builder("Sahel Horizons", "sahelhorizons", "Km 121, Alexandria–Matrouh Road"),
    "gate": Builder("Capital Gate Real Estate", "capitalgate", "Financial District, New Capital"),
    "ahram": Builder("الأهرام الجديدة للإسكان", "newahram", "ميدان لبنان، المهندسين، الجيزة"),
    "coral": Builder("Red Sea Homes", "redseahomes", "Sheraton Road, Hurghada"),
    "morgan": Builder("مرجان للتنمية السياحية", "morgandev", "طريق القرى، الغردقة"),
}


class Site(NamedTuple):
    """A project: where it is, how far it has come, and what a square metre costs there, in pounds."""

    code: str
    name: str
    developer: str
    city: str
    governorate: str
    lat: float
    lng: float
    status: str
    months: tuple[int, int]
    """When building began and when it ends, counted from today; what is past is negative."""
    pounds: int
    kinds: tuple[str, ...]
    view: tuple[str, ...]
    description: str


HOMES: Final = ("APT_2BR", "APT_3BR", "APT_1BR", "APT_2BR", "DUPLEX_3BR")
GREEN: Final = ("garden", "pool", "street")

SITES: Final = (
    Site("CRN", "Crown Residence", "nile", "New Cairo", "Cairo", 30.0289, 31.4913, "under_construction",
         (-22, 20), 62_000, HOMES, GREEN, "Low-rise blocks around a park, ten minutes from the AUC."),
    Site("NVL", "كمبوند نايل فيو", "nile", "Maadi", "Cairo", 29.9602, 31.2569, "delivered",
         (-60, -9), 78_000, ("APT_3BR", "APT_2BR", "DUPLEX_3BR"), ("nile", "street"),
         "أبراج سكنية على كورنيش المعادي بإطلالة مباشرة على النيل."),
    Site("CBP", "Crown Business Park", "nile", "New Cairo", "Cairo", 30.0126, 31.4301, "under_construction",
         (-14, 16), 95_000, ("OFFICE", "OFFICE", "SHOP"), ("plaza", "street"),
         "Offices and shops on 90th Street, with two levels of parking."),
    Site("WDG", "Wadi Gardens", "wadi", "Sheikh Zayed", "Giza", 30.0444, 30.9769, "delivered",
         (-72, -18), 71_000, ("VILLA_4BR", "TOWN_3BR", "VILLA_4BR"), ("garden", "golf"),
         "Villas and townhouses; four fifths of the land stay green."),
    Site("WDH", "Wadi Heights", "wadi", "6th of October", "Giza", 29.9511, 30.9180, "under_construction",
         (-18, 26), 48_000, HOMES, GREEN, "A first home for young families, paid over nine years."),
    Site("PLM", "واحة النخيل", "wadi", "6th of October", "Giza", 29.9886, 30.8722, "planning",
         (4, 46), 44_000, ("TOWN_3BR", "APT_3BR", "APT_2BR"), ("garden", "lagoon"),
         "كمبوند سكني متكامل حول بحيرات صناعية، على مساحة ٨٥ فدانًا."),
    Site("DLT", "دلتا سيتي", "delta", "New Mansoura", "Dakahlia", 31.4431, 31.4669, "under_construction",
         (-26, 10), 36_000, HOMES, ("sea", "garden"), "أول كمبوند سكني على البحر في المنصورة الجديدة."),
    Site("UNI", "University Walk", "delta", "New Mansoura", "Dakahlia", 31.4604, 31.4352, "planning",
         (2, 30), 33_000, ("STUDIO", "APT_1BR", "SHOP"), ("street", "plaza"),
         "Studios and shops beside the university's gates."),
    Site("SHZ", "Sahel Horizon Bay", "sahel", "Sidi Abdel Rahman", "Matrouh", 30.9669, 28.7472,
         "under_construction", (-12, 24), 88_000, ("CHALET_2BR", "CHALET_2BR", "VILLA_4BR"),
         ("sea", "lagoon"),
         "Chalets in five rows, each seeing the sea over the one before it."),
    Site("LGN", "لاجونا الساحل", "sahel", "El Alamein", "Matrouh", 30.8301, 28.9543, "delivered",
         (-54, -6), 69_000, ("CHALET_2BR", "APT_2BR", "STUDIO"), ("lagoon", "sea"),
         "شاليهات مطلة على بحيرة كريستالية، جاهزة للتسليم الفوري."),
    Site("CGT", "Capital Gate Towers", "gate", "New Capital", "Cairo", 30.0131, 31.7246, "under_construction",
         (-30, 8), 54_000, ("OFFICE", "APT_3BR", "APT_2BR", "SHOP"), ("park", "street"),
         "Three towers over the Green River park: shops, then offices, then homes."),
    Site("R7A", "Garden Seven", "gate", "New Capital", "Cairo", 30.0322, 31.6918, "delivered",
         (-48, -4), 41_000, HOMES, GREEN, "District R7, handed over block by block since last year."),
    Site("AHR", "أهرام فيو", "ahram", "Hadayek El-Ahram", "Giza", 29.9868, 31.1124, "under_construction",
         (-16, 14), 39_000, ("APT_3BR", "APT_2BR"), ("pyramids", "street"),
         "شقق كاملة التشطيب على بعد دقائق من المتحف المصري الكبير."),
    Site("SOK", "Sokhna Sands", "ahram", "Ain Sokhna", "Suez", 29.6004, 32.3167, "under_construction",
         (-10, 22), 57_000, ("CHALET_2BR", "STUDIO", "TOWN_3BR"), ("sea", "pool", "mountain"),
         "A weekend house ninety minutes from Cairo."),
    Site("SMH", "برج سموحة", "ahram", "Smouha", "Alexandria", 31.2156, 29.9553, "delivered",
         (-40, -2), 46_000, ("APT_3BR", "APT_2BR", "SHOP"), ("park", "street"),
         "برج سكني تجاري أمام نادي سموحة."),
)  # fmt: skip
SITES_OF_OTHER: Final = (
    Site("COR", "Coral Bay Residence", "coral", "Hurghada", "Red Sea", 27.2579, 33.8116, "under_construction",
         (-20, 9), 52_000, ("CHALET_2BR", "STUDIO", "APT_1BR"), ("sea", "pool"),
         "On the beach of Sahl Hasheesh, with a reef to snorkel."),
    Site("MRG", "مرجان هيلز", "morgan", "Safaga", "Red Sea", 26.7431, 33.9358, "planning",
         (3, 36), 38_000, ("VILLA_4BR", "CHALET_2BR"), ("sea", "mountain"),
         "فيلات على التلال المطلة على خليج سوما."),
)  # fmt: skip
