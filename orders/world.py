"""The invented shop: where it sells, what it sells, who packs and who carries. No real person or firm."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class City:
    """`postcode` is a pattern: # stands for a digit, @ for a letter. `share` weighs how many live there."""

    name: str
    region: str
    country: str
    lat: float
    lng: float
    timezone: str
    postcode: str
    share: float
    hub: str


@dataclass(frozen=True, slots=True)
class Product:
    name: str
    category: str
    price: Decimal
    weight_g: float
    volume_cm3: float
    options: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Warehouse:
    """`queue` is the mean number of working days an order waits there; `workdays` counts Monday as 0."""

    code: str
    name: str
    city: str
    region: str
    country: str
    lat: float
    lng: float
    timezone: str
    postcode: str
    queue: float
    workdays: frozenset[int]


@dataclass(frozen=True, slots=True)
class Carrier:
    """`base_hours` pass before a parcel rolls, then it covers `km_per_hour`, over depots and nights.

    `spread` is the standard deviation of the logarithm of that time.
    """

    name: str
    prefix: str
    base_hours: float
    km_per_hour: float
    spread: float
    delivery_days: frozenset[int]
    share: dict[str, float]  # by country, "" for any other


WEEKDAYS = frozenset(range(5))
WITH_SATURDAY = frozenset(range(6))
EVERY_DAY = frozenset(range(7))

CITIES: tuple[City, ...] = (
    City("London", "Greater London", "GB", 51.51, -0.13, "Europe/London", "SE## #@@", 15, "London"),
    City("Leeds", "West Yorkshire", "GB", 53.80, -1.55, "Europe/London", "LS# #@@", 6, "Leeds"),
    City("Manchester", "Greater Manchester", "GB", 53.48, -2.24, "Europe/London", "M## #@@", 7, "Manchester"),
    City("Birmingham", "West Midlands", "GB", 52.48, -1.90, "Europe/London", "B## #@@", 7, "Birmingham"),
    City("Bristol", "Bristol", "GB", 51.45, -2.59, "Europe/London", "BS# #@@", 5, "Bristol"),
    City("Glasgow", "Glasgow", "GB", 55.86, -4.25, "Europe/London", "G## #@@", 5, "Glasgow"),
    City("Edinburgh", "Edinburgh", "GB", 55.95, -3.19, "Europe/London", "EH# #@@", 4, "Glasgow"),
    City("Inverness", "Highland", "GB", 57.48, -4.22, "Europe/London", "IV# #@@", 1, "Glasgow"),
    City("Newcastle", "Tyne and Wear", "GB", 54.98, -1.61, "Europe/London", "NE# #@@", 3, "Leeds"),
    City("Sheffield", "South Yorkshire", "GB", 53.38, -1.47, "Europe/London", "S## #@@", 3, "Leeds"),
    City("York", "North Yorkshire", "GB", 53.96, -1.08, "Europe/London", "YO## #@@", 2, "Leeds"),
    City("Liverpool", "Merseyside", "GB", 53.41, -2.98, "Europe/London", "L## #@@", 4, "Manchester"),
    City("Nottingham", "Nottinghamshire", "GB", 52.95, -1.15, "Europe/London", "NG# #@@", 3, "Birmingham"),
    City("Norwich", "Norfolk", "GB", 52.63, 1.30, "Europe/London", "NR# #@@", 2, "London"),
    City("Brighton", "East Sussex", "GB", 50.82, -0.14, "Europe/London", "BN# #@@", 3, "London"),
    City("Plymouth", "Devon", "GB", 50.38, -4.14, "Europe/London", "PL# #@@", 2, "Bristol"),
    City("Truro", "Cornwall", "GB", 50.26, -5.05, "Europe/London", "TR# #@@", 1, "Bristol"),
    City("Cardiff", "Cardiff", "GB", 51.48, -3.18, "Europe/London", "CF## #@@", 3, "Bristol"),
    City("Belfast", "Antrim", "GB", 54.60, -5.93, "Europe/London", "BT# #@@", 2, "Belfast"),
    City("Dublin", "Leinster", "IE", 53.35, -6.26, "Europe/Dublin", "D0# @###", 4, "Dublin"),
    City("Cork", "Munster", "IE", 51.90, -8.47, "Europe/Dublin", "T12 @###", 1, "Dublin"),
    City("Amsterdam", "North Holland", "NL", 52.37, 4.90, "Europe/Amsterdam", "10## @@", 2, "Rotterdam"),
    City("Utrecht", "Utrecht", "NL", 52.09, 5.12, "Europe/Amsterdam", "35## @@", 1, "Rotterdam"),
    City("Cologne", "Rhineland", "DE", 50.94, 6.96, "Europe/Berlin", "506##", 2, "Cologne"),
    City("Berlin", "Berlin", "DE", 52.52, 13.40, "Europe/Berlin", "104##", 2, "Cologne"),
    City("Hamburg", "Hamburg", "DE", 53.55, 9.99, "Europe/Berlin", "203##", 1, "Cologne"),
    City("Paris", "Ile-de-France", "FR", 48.86, 2.35, "Europe/Paris", "750##", 2, "Paris"),
    City("Lyon", "Auvergne-Rhone-Alpes", "FR", 45.76, 4.84, "Europe/Paris", "690##", 1, "Paris"),
    City("Madrid", "Madrid", "ES", 40.42, -3.70, "Europe/Madrid", "280##", 1, "Madrid"),
    City("Copenhagen", "Hovedstaden", "DK", 55.68, 12.57, "Europe/Copenhagen", "21##", 1, "Copenhagen"),
    City("Gothenburg", "Vastra Gotaland", "SE", 57.71, 11.97, "Europe/Stockholm", "411 ##", 1, "Copenhagen"),
)

HUBS: dict[str, tuple[float, float]] = {
    "London": (51.51, -0.13),
    "Leeds": (53.80, -1.55),
    "Manchester": (53.48, -2.24),
    "Birmingham": (52.48, -1.90),
    "Bristol": (51.45, -2.59),
    "Glasgow": (55.86, -4.25),
    "Belfast": (54.60, -5.93),
    "Dublin": (53.35, -6.26),
    "Rotterdam": (51.92, 4.48),
    "Cologne": (50.94, 6.96),
    "Paris": (48.86, 2.35),
    "Madrid": (40.42, -3.70),
    "Copenhagen": (55.68, 12.57),
}

WAREHOUSES: tuple[Warehouse, ...] = (
    Warehouse(
        "leeds", "Leeds warehouse", "Leeds", "West Yorkshire", "GB", 53.78, -1.50, "Europe/London", "LS9 0PX",
        0.45, WITH_SATURDAY,
    ),
    Warehouse(
        "bristol", "Bristol warehouse", "Bristol", "Bristol", "GB", 51.50, -2.68, "Europe/London", "BS11 9QD",
        0.9, WEEKDAYS,
    ),
    Warehouse(
        "rotterdam", "Rotterdam warehouse", "Rotterdam", "South Holland", "NL", 51.89, 4.42,
        "Europe/Amsterdam", "3197 KA", 0.6, WEEKDAYS,
    ),
)  # fmt: skip

CARRIERS: tuple[Carrier, ...] = (
    Carrier("Northline", "NL", 13, 26, 0.22, WITH_SATURDAY, {"GB": 0.5, "IE": 0.2, "": 0.05}),
    Carrier("Swiftpost", "SW", 9, 34, 0.16, WEEKDAYS, {"GB": 0.35, "IE": 0.2, "": 0.35}),
    Carrier("Harbour Express", "HX", 17, 21, 0.3, EVERY_DAY, {"GB": 0.15, "IE": 0.6, "": 0.6}),
)

_COLOURS = ("blue", "grey", "green", "white", "rust")
_SIZES = ("S", "M", "L", "XL")
_BEDS = ("single", "double", "king")


def _goods(category: str, *rows: tuple[str, str, float, float], **options: tuple[str, ...]) -> list[Product]:
    """Rows of name, price, grams and cubic centimetres."""
    return [
        Product(name, category, Decimal(price), grams, volume, tuple(options.items()))
        for name, price, grams, volume in rows
    ]


PRODUCTS: tuple[Product, ...] = (
    *_goods(
        "kitchen",
        ("kettle", "39.00", 1400, 9000),
        ("teapot", "24.50", 900, 4200),
        ("toaster", "45.00", 2100, 12000),
        ("cast iron pan", "52.00", 3400, 7000),
        ("knife set", "68.00", 1800, 5200),
        ("coffee grinder", "59.00", 1600, 5500),
        colour=("black", "steel", "cream"),
    ),
    *_goods(
        "kitchen",
        ("chopping board", "22.00", 1300, 2400),
        ("bread bin", "34.00", 2300, 21000),
        ("mug set", "28.00", 1700, 6400),
        ("salad bowl", "26.50", 1500, 9500),
        ("spice rack", "31.00", 1200, 8800),
        ("apron", "18.00", 280, 900),
    ),
    *_goods(
        "bedding",
        ("linen duvet cover", "89.00", 1900, 9000),
        ("wool blanket", "74.00", 2200, 14000),
        ("cotton sheet set", "58.00", 1600, 7200),
        ("down pillow", "42.00", 1100, 22000),
        size=_BEDS,
    ),
    *_goods(
        "bathroom",
        ("bath towel", "16.50", 620, 3900),
        ("bath mat", "21.00", 900, 4600),
        ("laundry basket", "37.00", 1900, 62000),
        ("shower curtain", "19.50", 480, 1500),
        colour=_COLOURS,
    ),
    *_goods(
        "living",
        ("desk lamp", "48.00", 1900, 15000),
        ("floor lamp", "96.00", 6200, 60000),
        ("cushion", "23.00", 700, 16000),
        ("rug", "120.00", 7800, 52000),
        ("throw", "44.00", 1200, 8000),
        ("wall clock", "36.00", 1100, 9800),
        ("side table", "85.00", 7400, 70000),
        ("bookshelf", "149.00", 19000, 120000),
    ),
    *_goods(
        "garden",
        ("watering can", "27.00", 1100, 14000),
        ("plant pot", "17.50", 2600, 11000),
        ("garden bench", "189.00", 24000, 210000),
        ("bird feeder", "19.00", 800, 5200),
    ),
    *_goods(
        "clothing",
        ("wool jumper", "69.00", 620, 5200),
        ("linen shirt", "49.00", 310, 2100),
        ("rain jacket", "98.00", 780, 5600),
        ("dressing gown", "64.00", 1300, 9200),
        ("pair of slippers", "32.00", 540, 4600),
        size=_SIZES,
        colour=_COLOURS,
    ),
    *_goods(
        "clothing",
        ("scarf", "29.00", 220, 1600),
        ("tote bag", "21.00", 260, 1200),
        ("umbrella", "25.00", 480, 1900),
        colour=_COLOURS,
    ),
)

_FIRST_NAMES = """
Ada Aidan Aisha Alan Alma Amina Anders Anya Arjun Astrid Bea Bram Carys Cian Clara Conor Dana Dev Elin Ellis
Emeka Esme Farah Femi Finn Freya Gareth Greta Hana Harriet Hugo Ines Iona Ivo Jasper Jo Kamil Kezia Lars Leila
Lena Luca Maeve Marek Mei Mina Nadia Niall Nora Olu Orla Oscar Petra Priya Quentin Rafe Rhona Rosa Ruben Saira
Sean Sofie Tamsin Tess Theo Tom Una Vera Wanda Will Yara Zeke
"""
_LAST_NAMES = """
Abara Achterberg Adair Ainsley Alder Anning Ashby Bakare Balfour Barrow Beckett Bellamy Birch Boateng Brandt
Calder Carew Castellan Chaudhry Coyle Crane Dalgaard Darrow Devlin Doyle Drake Eastwood Ellery Fairley Farrow
Fenwick Finch Gallagher Garrick Grewal Hale Harker Hartnell Heyward Hollis Ibarra Iqbal Jessop Kaur Keane Kerr
Lachlan Lindqvist Lowry Maddox Marlowe Mistry Moran Nash Novak Oakes Okoro Pask Penrose Pryce Quill Raines
Rowntree Sandoval Sato Sharp Skelton Stroud Tait Thorne Tolland Upton Vance Verhoeven Wainwright Walsh
Whitlock Wyatt Yardley Zielinski
"""
FIRST_NAMES: tuple[str, ...] = tuple(_FIRST_NAMES.split())
LAST_NAMES: tuple[str, ...] = tuple(_LAST_NAMES.split())
STREETS: tuple[str, ...] = (
    "Mill Lane", "Orchard Road", "Station Road", "Church Street", "Canal Walk", "Hill View", "Elm Grove",
    "Harbour Street", "Kiln Lane", "Meadow Way", "Park Terrace", "Quarry Road", "School Lane", "Tannery Row",
)  # fmt: skip
