"""People and companies: names as they are written in Egypt, in Latin letters and in Arabic.

Nobody can be reached: the addresses end in .test, and no Egyptian mobile number begins with +2013.
"""

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Final, NamedTuple

FIRST: Final = (
    ("Ahmed", "أحمد"),
    ("Mohamed", "محمد"),
    ("Mahmoud", "محمود"),
    ("Mostafa", "مصطفى"),
    ("Omar", "عمر"),
    ("Youssef", "يوسف"),
    ("Karim", "كريم"),
    ("Tarek", "طارق"),
    ("Hossam", "حسام"),
    ("Khaled", "خالد"),
    ("Amr", "عمرو"),
    ("Sherif", "شريف"),
    ("Wael", "وائل"),
    ("Mina", "مينا"),
    ("Ziad", "زياد"),
    ("Fatma", "فاطمة"),
    ("Mariam", "مريم"),
    ("Nour", "نور"),
    ("Salma", "سلمى"),
    ("Yasmin", "ياسمين"),
    ("Dina", "دينا"),
    ("Heba", "هبة"),
    ("Rania", "رانيا"),
    ("Nada", "ندى"),
    ("Aya", "آية"),
    ("Mona", "منى"),
    ("Laila", "ليلى"),
    ("Reem", "ريم"),
    ("Marina", "مارينا"),
    ("Shaimaa", "شيماء"),
)
FAMILY: Final = (
    ("Hassan", "حسن"),
    ("Ibrahim", "إبراهيم"),
    ("Abdelrahman", "عبد الرحمن"),
    ("El-Sayed", "السيد"),
    ("Mansour", "منصور"),
    ("Fouad", "فؤاد"),
    ("Shawky", "شوقي"),
    ("Nassar", "نصار"),
    ("Gaber", "جابر"),
    ("Salem", "سالم"),
    ("Fahmy", "فهمي"),
    ("Zaki", "زكي"),
    ("Ramadan", "رمضان"),
    ("Badawy", "بدوي"),
    ("Girgis", "جرجس"),
    ("El-Masry", "المصري"),
    ("Shaheen", "شاهين"),
    ("Osman", "عثمان"),
    ("Darwish", "درويش"),
    ("Tawfik", "توفيق"),
)

# Name, industry, city, and what stands before .test in its addresses
COMPANIES: Final = (
    ("Nile Delta Contracting", "construction", "Mansoura", "niledelta"),
    ("مجموعة الفيروز للمقاولات", "construction", "Cairo", "fayrouz"),
    ("Horus Pharma", "pharmaceuticals", "Cairo", "horuspharma"),
    ("Lotus Textiles", "textiles", "Mahalla El-Kubra", "lotustextiles"),
    ("شركة النخيل للاستيراد والتصدير", "trade", "Alexandria", "nakheel"),
    ("Cleopatra Ceramics Trading", "building_materials", "10th of Ramadan", "cleoceramics"),
    ("Sakkara Software House", "software", "Smart Village", "sakkarasoft"),
    ("عيادات الشفاء التخصصية", "healthcare", "Giza", "shefaa"),
    ("Amun Logistics", "logistics", "Port Said", "amunlogistics"),
    ("Ramses Medical Supplies", "healthcare", "Cairo", "ramsesmed"),
    ("مدارس المستقبل الدولية", "education", "New Cairo", "mostaqbal"),
    ("Pharos Shipping", "logistics", "Alexandria", "pharosshipping"),
    ("Karnak Tours", "tourism", "Luxor", "karnaktours"),
    ("مطاعم أم كلثوم", "hospitality", "Cairo", "omkalthoum"),
    ("Blue Nile Seafood", "food", "Damietta", "bluenile"),
    ("Sinai Solar", "energy", "Ismailia", "sinaisolar"),
    ("الأهلية للتأمين", "insurance", "Cairo", "ahleya"),
    ("Giza Gold Jewellery", "retail", "Giza", "gizagold"),
    ("Papyrus Publishing", "media", "Cairo", "papyrus"),
    ("صيدليات الحياة", "retail", "Tanta", "hayah"),
    ("Memphis Motors", "automotive", "Giza", "memphismotors"),
    ("Delta Dairy", "food", "Tanta", "deltadairy"),
    ("مكتب النور للاستشارات الهندسية", "engineering", "Nasr City", "nourengineering"),
    ("Thebes Capital", "finance", "Cairo", "thebescapital"),
    ("Red Crescent Optics", "retail", "Heliopolis", "rcoptics"),
    ("قهوة الفيشاوي الجديدة", "hospitality", "Sheikh Zayed", "fishawy"),
    ("Isis Cosmetics", "consumer_goods", "6th of October", "isiscosmetics"),
    ("Suez Steel Trading", "building_materials", "Suez", "suezsteel"),
    ("الشرق للأثاث", "furniture", "Damietta", "sharqfurniture"),
    ("Oasis Agri", "agriculture", "Fayoum", "oasisagri"),
    ("Nefertari Fashion", "retail", "Maadi", "nefertari"),
    ("Luxor Stone & Marble", "building_materials", "Shaq El-Thoaban", "luxorstone"),
    ("المتحدة للنقل المبرد", "logistics", "Beheira", "mottahida"),
    ("Anubis Security", "services", "Cairo", "anubis"),
    ("Sphinx Telecom Services", "telecom", "Smart Village", "sphinxtel"),
    ("حضانة عصافير الجنة", "education", "Maadi", "asafeer"),
    ("Gulf Bridge Investments", "finance", "New Cairo", "gulfbridge"),
    ("Zamalek Art House", "media", "Zamalek", "zamalekart"),
    ("العربية للمصاعد", "engineering", "Nasr City", "arabialifts"),
    ("Mokattam Kitchens", "furniture", "Mokattam", "mokattamkitchens"),
    ("Aswan Hibiscus Co.", "food", "Aswan", "aswanhibiscus"),
    ("دار البناء الحديث", "construction", "Assiut", "darbena"),
    ("Heliopolis Dental Group", "healthcare", "Heliopolis", "helidental"),
    ("Cotton House 1899", "textiles", "Kafr El-Dawar", "cottonhouse"),
    ("المروة للحج والعمرة", "tourism", "Cairo", "marwa"),
    ("Obelisk Law Firm", "legal", "Garden City", "obelisklaw"),
    ("Sahara Rent a Car", "automotive", "Cairo", "sahararent"),
    ("بيت الخبرة للمحاسبة", "accounting", "Dokki", "expertise"),
    ("Nubia Handicrafts", "retail", "Aswan", "nubia"),
    ("Alex Marine Services", "logistics", "Alexandria", "alexmarine"),
    ("الواحة للمياه المعدنية", "food", "Siwa", "elwaha"),
    ("Bright Minds Academy", "education", "6th of October", "brightminds"),
    ("Tahrir Print", "media", "Cairo", "tahrirprint"),
    ("مستشفى السلام الجديد", "healthcare", "Mansoura", "salamhospital"),
    ("Ptolemy Data Centers", "software", "New Capital", "ptolemy"),
    ("Golden Wheat Mills", "food", "Beni Suef", "goldenwheat"),
    ("القاهرة للتجارة الإلكترونية", "retail", "New Cairo", "cairoecom"),
    ("Scarab Robotics", "engineering", "Borg El-Arab", "scarab"),
    ("Felucca Events", "services", "Zamalek", "felucca"),
    ("مزارع وادي النطرون", "agriculture", "Wadi El-Natrun", "natrun"),
)
COMPANIES_OF_OTHER: Final = (
    ("Coral Divers Club", "tourism", "Hurghada", "coraldivers"),
    ("فنادق شاطئ المرجان", "hospitality", "Hurghada", "morgan"),
    ("El Gouna Yacht Care", "services", "El Gouna", "yachtcare"),
    ("Safaga Phosphates", "mining", "Safaga", "safaga"),
    ("صيادو القصير", "food", "El Quseir", "quseir"),
    ("Marsa Alam Windsurf", "tourism", "Marsa Alam", "windsurf"),
)


class Person(NamedTuple):
    """Somebody, in both scripts."""

    latin: str
    arabic: str

    @property
    def local_part(self) -> str:
        """What stands before the @ of their address."""
        return self.latin.lower().replace(" ", ".").replace("el-", "el")


def people(dice: Random, count: int) -> list[Person]:
    """`count` people, none of them twice."""
    names = [
        Person(f"{first} {family}", f"{given} {house}")
        for (first, given), (family, house) in product(FIRST, FAMILY)
    ]
    return dice.sample(names, count)


def phones(prefix: int) -> Iterator[str]:
    """Numbers of nobody, one after the other."""
    return (f"+2013{prefix:02}{number:06}" for number in range(100_001, 10**6, 37))
