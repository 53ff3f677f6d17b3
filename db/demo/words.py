"""What people write: subjects, notes, templates and notices, each in English and in Arabic."""

from typing import Final, NamedTuple

TITLES: Final = ("ceo", "cfo", "owner", "hr_manager", "procurement", "office_manager")

LEAD_NOTES: Final = (
    "Asked for a ground floor with a garden.",
    "يفضل التقسيط على سبع سنوات بدون مقدم كبير.",
    "Lives in Dubai; call after 18:00 Cairo time.",
    "يبحث عن وحدة استثمارية بعائد إيجاري.",
    "Wants to see two projects on the same day.",
    "العميلة تطلب إطلالة على البحر والدور الأول على الأقل.",
)

# Type: subject and description, in English and in Arabic
WORK: Final = {
    "call": (
        (
            ("Call back about the payment plan", "Asked whether eight years are possible without a balloon."),
            ("معاودة الاتصال بخصوص خطة السداد", "سأل عن إمكانية التقسيط على ثماني سنوات بدون دفعة استلام."),
        ),
        (
            ("Qualify the budget", "Find out about the down payment and who decides."),
            ("تحديد الميزانية", "معرفة قيمة المقدم ومن صاحب القرار في الأسرة."),
        ),
    ),
    "email": (
        (
            ("Send the brochure and floor plans", "English version, with the finishing specifications."),
            ("إرسال الكتيب والمساقط الأفقية", "النسخة العربية مع مواصفات التشطيب."),
        ),
        (
            ("Send the offer", "Valid for seven days, parking included."),
            ("إرسال عرض السعر", "العرض سارٍ لمدة سبعة أيام ويشمل الجراج."),
        ),
    ),
    "meeting": (
        (
            ("Site visit", "Meet at the sales office; show the sample unit first."),
            ("زيارة الموقع", "المقابلة في مكتب المبيعات ومعاينة الوحدة النموذجية أولًا."),
        ),
        (
            ("Contract signing", "Bring both copies and the receipt of the reservation."),
            ("توقيع العقد", "إحضار نسختي العقد وإيصال الحجز."),
        ),
    ),
    "task": (
        (
            ("Collect the identity papers", "National ID or passport, and proof of address."),
            ("استلام صورة البطاقة", "بطاقة الرقم القومي أو جواز السفر وإثبات العنوان."),
        ),
        (
            ("Check the cheques", "Twenty-eight post-dated cheques, one each quarter."),
            ("مراجعة الشيكات", "ثمانية وعشرون شيكًا مؤجلًا، شيك كل ثلاثة أشهر."),
        ),
    ),
}

# Outcome and what the agent wrote
CALL_NOTES: Final = (
    ("interested", "Wants the price list of the second phase."),
    ("no_answer", None),
    ("callback", "طلب الاتصال يوم الخميس بعد صلاة العصر."),
    ("not_interested", "اشترى بالفعل في كمبوند آخر."),
    ("wrong_number", None),
    ("meeting_booked", "Comes to the sales office with his brother."),
)

CAMPAIGN_NAMES: Final = (
    "Sahel early summer",
    "عرض رمضان: مقدم خمسة بالمئة",
    "New Capital open day",
    "عملاء المنصورة الجديدة",
    "Payment due reminders",
    "إطلاق واحة النخيل",
    "Black Friday chalets",
    "دعوة معرض سيتي سكيب",
    "Owners' newsletter",
)

REJECTIONS: Final = ("Below the floor price of the phase.", "يرجى إرفاق موافقة المطور أولًا.")


class Notice(NamedTuple):
    """What lands in an inbox."""

    category: str
    english: tuple[str, str]
    arabic: tuple[str, str]


NOTICES: Final = (
    Notice(
        "tasks",
        ("Three activities are due today", "The first one begins at ten."),
        ("لديك ثلاث مهام مستحقة اليوم", "تبدأ أولاها في العاشرة صباحًا."),
    ),
    Notice(
        "approvals",
        ("A discount waits for your decision", "Five per cent on a villa in Wadi Gardens."),
        ("خصم في انتظار قرارك", "خصم خمسة بالمئة على فيلا في وادي جاردنز."),
    ),
    Notice(
        "marketing",
        ("A campaign has ended", "Open rate 41 %, nine new leads."),
        ("انتهت حملة تسويقية", "نسبة الفتح ٤١٪ وتسعة عملاء محتملين جدد."),
    ),
    Notice(
        "system",
        ("Prices of Capital Gate were updated", "The new list holds from Sunday."),
        ("تم تحديث أسعار كابيتال جيت", "تسري القائمة الجديدة من يوم الأحد."),
    ),
    Notice(
        "tasks",
        ("A lead was assigned to you", "From the website, looking for a chalet."),
        ("تم إسناد عميل محتمل إليك", "من الموقع الإلكتروني ويبحث عن شاليه."),
    ),
)


class Template(NamedTuple):
    """A message: its subject and text in English and in Arabic, and what is filled in."""

    channel: str
    english: tuple[str | None, str]
    arabic: tuple[str | None, str]
    variables: tuple[str, ...]


TEMPLATES: Final = {
    "welcome": Template(
        "email",
        ("Welcome, {{name}}", "Dear {{name}}, thank you for your interest. {{agent}} will call you today."),
        ("أهلًا بك يا {{name}}", "عزيزنا {{name}}، شكرًا لاهتمامك. سيتصل بك {{agent}} اليوم."),
        ("name", "agent"),
    ),
    "visit_reminder": Template(
        "sms",
        (None, "Your visit to {{project}} is on {{date}} at {{time}}."),
        (None, "موعد زيارتك لمشروع {{project}} يوم {{date}} الساعة {{time}}."),
        ("project", "date", "time"),
    ),
    "offer": Template(
        "whatsapp",
        (None, "Unit {{unit}} at {{price}}, reserved for you until {{date}}."),
        (None, "الوحدة {{unit}} بسعر {{price}} محجوزة لك حتى {{date}}."),
        ("unit", "price", "date"),
    ),
    "instalment_due": Template(
        "email",
        ("Your instalment is due on {{date}}", "{{amount}} for unit {{unit}} is due on {{date}}."),
        ("قسط مستحق يوم {{date}}", "يستحق سداد {{amount}} عن الوحدة {{unit}} يوم {{date}}."),
        ("amount", "unit", "date"),
    ),
    "launch": Template(
        "email",
        ("{{project}} is open for reservations", "Be among the first: prices hold until {{date}}."),
        ("فتح باب الحجز في {{project}}", "كن من الأوائل: الأسعار سارية حتى {{date}}."),
        ("project", "date"),
    ),
    "ramadan_offer": Template(
        "sms",
        (None, "Ramadan Kareem! 5% down until {{date}}."),
        (None, "رمضان كريم! مقدم خمسة بالمئة فقط حتى {{date}}."),
        ("date",),
    ),
    "approval_waiting": Template(
        "inapp",
        (None, "{{requester}} asks for your approval: {{subject}}."),
        (None, "يطلب {{requester}} موافقتك على: {{subject}}."),
        ("requester", "subject"),
    ),
}

RETIRED: Final = frozenset({"ramadan_offer"})
"""Templates that are no longer sent."""
