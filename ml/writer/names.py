"""Names and other languages: what a text around slots may not be about, or be written in.

Nobody keeps a list of all names. So it is turned round: a capital is right where a sentence starts, and
only on a word that we know.
"""

from __future__ import annotations

import re
from itertools import pairwise

from ml.writer.rules import SLOT, sentences
from ml.writer.vocabulary import is_ordinary

_TOKEN = re.compile(r"\{\w*\}|[^\W\d_]+(?:['’-][^\W\d_]+)*|[.?!:\n\"“(]")
_OPENERS = frozenset((*'.?!:\n"“(', "{quote}", "{tracking_link}"))  # a quote brings its own full stop
_OWN = re.compile(r"I(?:['’](?:m|ll|ve|d))?")
# Words that open a sentence, and that people are called by too: only with what follows them there.
_ALSO_NAMES = {
    "will": r"it|that|this|you|the|an?|we|i|your|any|there|either|nobody|no|one|someone|anyone",
    "may": r"i|we|you|it|the|that|this",
    "mark": r"it|that|this|the|your",
    "green": r"means|is",
    **dict.fromkeys(("black", "white", "orange"), r"is"),
    **dict.fromkeys(("sue", "faith", "hope", "joy", "amber", "brown", "young", "march", "august"), r"(?!)"),
    **dict.fromkeys(("target", "apple", "shell", "gap", "boots"), r"(?!)"),
}
_BRANDS = (
    "paypal|visa|mastercard|master card|maestro|amex|american express|klarna|stripe|apple pay|google pay|"
    "samsung pay|"
    "sofort|giropay|revolut|venmo|bitcoin|crypto|clearpay|afterpay|pix|boleto|iban|dhl|fedex|usps|dpd|gls|"
    "tnt|evri|hermes|yodel|royal mail|parcelforce|correios|deutsche post|la poste|postnord|amazon|ebay|"
    "etsy|"
    "zalando|walmart|aliexpress|shopify|shein|temu|ikea|argos|tesco|asos|nike|adidas|sony|samsung|lego|"
    "iphone|ipad|android|windows pc|google|facebook|instagram|twitter|tiktok|whatsapp|telegram|youtube|"
    "trustpilot|microsoft|openai|chatgpt|gpt|claude|gemini|llama|siri|alexa|netflix|barclays|hsbc|monzo|"
    "northline|blue parcel|doorstep demo"
)
_PLACES = (
    "london|leeds|manchester|birmingham|glasgow|edinburgh|liverpool|bristol|cardiff|belfast|dublin|paris|"
    "lyon|"
    "berlin|hamburg|munich|cologne|frankfurt|madrid|barcelona|lisbon|rome|milan|vienna|zurich|amsterdam|"
    "rotterdam|brussels|prague|warsaw|budapest|stockholm|oslo|copenhagen|helsinki|athens|istanbul|moscow|"
    "kyiv|"
    "new york|chicago|los angeles|san francisco|seattle|boston|houston|dallas|miami|atlanta|toronto|montreal|"
    "vancouver|sao paulo|rio|campinas|brasilia|mexico|tokyo|beijing|shanghai|shenzhen|hong kong|singapore|"
    "mumbai|delhi|sydney|melbourne|dubai|cairo|lagos|england|scotland|wales|ireland|britain|britain's|"
    "france|germany|spain|italy|portugal|netherlands|holland|belgium|austria|switzerland|poland|sweden|"
    "norway|"
    "denmark|finland|greece|turkey|russia|ukraine|america|usa|canada|brazil|china|japan|india|australia|"
    "europe|asia|africa|british|english|french|german|spanish|italian|dutch|american|chinese|european"
)
_PEOPLE = (
    "amara|jose|josé|maria|john|jane|james|robert|michael|david|william|richard|joseph|thomas|daniel|matthew|"
    "anthony|donald|steven|paul|andrew|joshua|kevin|brian|george|edward|ronald|timothy|jason|jeffrey|ryan|"
    "jacob|gary|nicholas|eric|jonathan|stephen|larry|justin|scott|brandon|benjamin|samuel|mary|patricia|"
    "jennifer|linda|elizabeth|barbara|susan|jessica|sarah|karen|lisa|nancy|betty|sandra|margaret|ashley|"
    "emily|donna|michelle|carol|amanda|melissa|deborah|stephanie|rebecca|laura|anna|emma|olivia|sophia|"
    "hannah|peter|simon|oliver|harry|jack|charlie|alice|lucy|chloe|ahmed|mohammed|muhammad|fatima|priya|chen|"
    "smith|jones|taylor|johnson|wilson|davies|evans|garcia|martinez|silva|santos|müller|schmidt"
)
_LISTED = frozenset(f"{_BRANDS}|{_PLACES}|{_PEOPLE}".split("|"))
_POSSESSIVE = re.compile(r"['’]s$")
# Shares of unknown words beyond which a sentence, or the whole, is not in plain English.
_IN_SENTENCE, _IN_ALL = 0.5, 0.3
_ENOUGH = 6  # words of the whole before their share says anything
_FOREIGN = re.compile(
    r"\b(?:der|das|und|ist|nicht|sie|wir|ihre?|bestellung|wird|el|los|las|una|para|pero|usted|pedido|está|"
    r"le|les|est|votre|nous|vous|commande|pour|il|della|sono|ordine|per favore|seu|sua|você|não|het|een|"
    r"van de|"
    r"bitte|danke|gracias|merci|hola|bonjour|ciao|obrigado|por favor|s'il)\b",
    re.I,
)


def name_faults(text: str) -> list[str]:
    """Names that no fact supplied, and capitals where none belongs."""
    faults = [f"name: {name!r}" for name in _listed(text)]
    tokens = _TOKEN.findall(text)
    before = "\n"
    for at, token in enumerate(tokens):
        if token[0].isupper() and not _OWN.fullmatch(token) and not _is_plain(tokens, at, before):
            faults.append(f"name: {token!r}")
        before = token
    return faults


def _listed(text: str) -> list[str]:
    """Names we know, whatever their case, of one word or two."""
    tokens = [_POSSESSIVE.sub("", each) for each in _TOKEN.findall(text.lower())]
    joined = [f"{one} {other}" for one, other in pairwise(tokens)]
    return [name for name in (*tokens, *joined) if name in _LISTED]


def _is_plain(tokens: list[str], at: int, before: str) -> bool:
    token = tokens[at]
    if before not in _OPENERS or (len(token) > 1 and token[1:] != token[1:].lower()):
        return False
    follows = _ALSO_NAMES.get(token.lower())
    if follows is not None:
        return at + 1 < len(tokens) and re.fullmatch(follows, tokens[at + 1].lower()) is not None
    return is_ordinary(token)


def language_faults(text: str) -> list[str]:
    """Whether a sentence, or the whole, is not in English."""
    unknown = total = 0
    for sentence in sentences(SLOT.sub(" ", text)):
        tokens = re.findall(r"[^\W\d_]+(?:['’-][^\W\d_]+)*", sentence)
        strange = sum(not is_ordinary(token) for token in tokens)
        if len(tokens) >= 3 and (strange > _IN_SENTENCE * len(tokens) or len(_FOREIGN.findall(sentence)) > 1):
            return [f"not in English: {sentence[:40]!r}"]
        unknown, total = unknown + strange, total + len(tokens)
    return ["not in English"] if total >= _ENOUGH and unknown > _IN_ALL * total else []
