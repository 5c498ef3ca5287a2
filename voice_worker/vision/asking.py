"""Whether a question asks about what is shown. Nothing is sent to a model that nobody asked to look.

Rules and no model: they take microseconds where each tenth of a second is heard, and what they decide can be read and
tested (tests/voice_worker/vision/utterances.py). First phrases are struck out that speak of seeing and mean something
else ("I see", "let me look up my booking"); what is left has to point at something.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class _Rules:
    idioms: re.Pattern[str]
    pointing: re.Pattern[str]


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


# Of a restaurant there are tables, menus and windows too: these nouns count only beside a word that points.
_EN_THINGS: Final = (
    r"(?:field|form|message|notice|code|page|picture|image|photo|table|line|column|row|cell|window|menu|document|text|"
    r"number|option|setting|paper|tab|link|file|plant|thing|box|list|section|part|website|video|clip|film|presentation|paragraph|sentence|"
    r"triangle|bar|arrow|circle|dot|site|view|step|paragraph|"
    r"sheet|map|sign|label|logo|product|part|cable|light|screw|device|box|letter|word)s?"
)
_EN_SCREEN: Final = (
    r"(?:slides?|diagrams?|charts?|graphs?|pop-?ups?|dialogs?|icons?|buttons?|cursor|spreadsheet|formulas?|"
    r"screenshots?|"
    r"error messages?|errors?|warnings?|toolbar|check ?box(?:es)?|drop-?down|headline|webcam)"
)
_RULES: Final = {
    "en": _Rules(
        idioms=_any(
            r"\b(?:oh|ah|ok|okay|yes|so)?\W*i see\b(?! (?:an?|the|this|that|two|nothing)\b)",
            r"\b(?:let|lets|let's)\W+(?:me |us )?see\b",
            r"\b(?:we|i|you)(?:'ll| will) see\b",
            r"\bsee (?:you|to it|if|whether|about|what i mean|what you mean|why|how)\b",
            r"\b(?:as far as|that) i can see\b|\bcan(?:'t|not) see why\b",
            r"\bsee (?:any|an?|no) (?:problem|issue|reason|way|chance|point|difference in price)s?\b",
            r"\b(?:explain|say|tell me|repeat) (?:this|that|it) (?:again|once more)\b",
            r"\bthis (?:is\b|(?:very )?(?:week|month|year|time|evening|morning|afternoon|night|summer|winter|"
            r"spring|autumn|"
            r"weekend|price|hotel|booking|reservation|room|offer|stay)\b|(?:mon|tues|wednes|thurs|fri|satur|sun)day)",
            r"\bsee(?:ing)? (?:a|my|the|some) (?:friend|doctor|show|view|sea|film|movie|concert)\w*",
            r"\blook(?:ed|ing|s|) (?:for|forward|up|into|after|like|good|great|fine)\b",
            r"\blook at (?:my|our|the) (?:\w+ )?(?:booking|reservation|order|account|bill|prices?|rooms?|dates?)\b",
            r"\bread (?:\w+ )?back\b|\bwhat did (?:it|they) say in\b|\blooking at (?!this|that|it)\w+ing\b",
        ),
        pointing=_any(
            r"\b(?:my|our|your|this|the shared|the same) (?:screen|display|monitor|desktop|camera|webcam)",
            r"\b(?:on|at|of) (?:the |this )?(?:screen|display)\b(?! in the)|\bscreen ?shar|\bthe camera\b",
            r"\b(?:i'm|i am|we're|we are|am i|are we) (?:\w+ )?(?:sharing|showing|holding|pointing|looking at)\b",
            r"\bin my hands?\b|\b(?:behind|in front of) me\b|\bhow do i look\b|\bam i wearing\b",
            r"\bcolou?r (?:is|are|of) (?:my|this|that|the)\b",
            r"\b(?:can|could|do|did|are) you (?:\w+ )?(?:see|seeing|spot|notice|recogni[sz]e|make out)\b",
            r"\bwhat (?:can you|you can|do you|you) (?:\w+ )?see\b|\bas you can see\b",
            r"\b(?:take|have) (?:a|another) (?:\w+ )?look\b|\blook (?:at|here|closely)\b|\blook\W*$",
            rf"\b(?:the|this|that|these|those|which|what) (?:\w+ ){{0,2}}{_EN_SCREEN}\b",
            rf"\b(?:there's|there is|get|getting|got|gives me|shows) (?:me )?an? (?:\w+ )?{_EN_SCREEN}\b",
            rf"\b(?:this|that|these|those) (?:\w+ )?{_EN_THINGS}\b(?! tonight)",
            r"\b(?:right|correct|wrong|first|second|third|last|next|previous|top|bottom|other) "
            r"(?:page|form|line|row|column|cell|field|tab|box|paragraph|picture|image|window|link|file|item in|"
            r"one in)s?\b",
            r"\b(?:red|green|blue|yellow|gr[ea]y|orange|white|black|highlighted) (?:one|thing|bar|box|line|"
            r"circle|triangle|dot|"
            r"arrow|frame|light|cross|tick|text|area|part|mark|number|word)s?\b",
            r"\b(?:in|on|from) (?:the|my) (?:photo|picture|image|list|cart|basket|video|page|document|form)\b",
            r"\b(?:one|bit|part|line) (?:below|above|underneath|beneath|next to|to the (?:left|right)|"
            r"on the (?:left|right))\b",
            r"\b(?:what|who|which|whose|how|where|why|does|do|did|is|are|can|could|should|fix|use|solve|close|read)\b"
            r"[\w ']{0,30}\b(?:this|these)\W*$|\b(?:is|are|does|do|did) (?:this|these) (?:look|work|right|"
            r"correct|ok|okay|"
            r"normal|wrong|safe|real|good|done|mean|say|add up|seem)\b",
            r"\bit (?:\w+ )?(?:says|shows|displays|asks me|wants me)\b|\bnothing (?:happen|respond|chang)\w+\b|"
            r"\bgr[ea]yed out\b",
            r"\b(?:click|clicked|clicking)\b|\bfilled (?:\w+ )?(?:in|out)\b|\bif i (?:press|tap|type|drag)\b",
            r"\bparagraph\b|\bis my (?:camera|video|picture)\b",
            r"\b(?:loading|readable|zoom(?:ed)?|scrolled|layout|settings|bullet|curves?|file|folder|browser|"
            r"keyboard)\b",
            r"\bi(?:'ve| have)? (?:opened|selected|typed|entered|highlighted|have here|have in front)\b",
            r"\b(?:fill in|type in|put in|choose|click|enter) (?:in )?here\b|\bsmall print\b",
            r"\bplugged\b|\b(?:what|which) (?:brand|breed|model|make|kind of \w+) is (?:this|that|it|my)\b",
            r"\b(?:yes or no|ok or cancel|cancel or ok)\b|\bmy (?:window|page|picture|version) (?:looks|says|shows)\b",
            r"\bthe (?:total|sum|number|text|date) (?:at|in|on) the (?:top|bottom|left|right)\b",
            r"\b(?:which|what) (?:menu|tab|option|link) (?:do|should|must|can) (?:i|we) (?:open|choose|select|"
            r"pick|use)",
            r"\b(?:at|on|in) the (?:(?:very|upper|lower|far) )?(?:top|bottom|left|right|middle|corner)\b"
            r"(?=\W*$| (?:left|right|of (?:the|this) (?:page|screen|slide|window|picture)|corner|side\W*$))",
            r"\bwhat (?:do|does|did) (?:it|this|that|they|the [\w ]{1,30}?) (?:say|show|mean)\b",
            r"\b(?:what|who)(?:'s| is| are) (?:this|that|these|those)(?: (?:here|there|thing))?\W*$",
            r"\b(?:read|translate) (?:this|that|it|these|the text)\b",
            r"\b(?:where|what|which|how)\b.{0,40}\b(?:click|press|tap|type|scroll|drag)\b",
            r"\bwrong (?:here|with (?:this|that|the)\b)|\b(?:compare|summari[sz]e|describe|explain) (?:this|that)\b",
            r"\b(?:came|come|comes|popped|pops|pop) up\b|\bjust appeared\b|\bi(?:'ve| have) (?:\w+ )?open\b",
            r"\bi(?:'ve| have) (?:filled|typed|entered|selected)\b|\bhave i (?:filled|typed|entered|selected)\b",
            r"\bnumbers? (?:say|in the table|at the)\b",
        ),
    ),
    "de": _Rules(
        idioms=_any(
            r"\bmal (?:sehen|schauen|gucken)\b|\b(?:schauen|gucken|sehen) wir\b",
            r"\b(?:wir|man|die) sehen uns\b|\bwiedersehen\b|\bich sehe\b(?! (?:hier|da|ein|eine|einen|nur|nichts)\b)",
            r"\bsieh?t (?:es|das|gut)\b|\bsehen,? (?:ob|wann|wie|was sich)\b|\bnach(?:zu)?sehen\b",
            r"\bschau(?:e|en) (?:noch|nach)\b|\bsteht (?:da |dort )?noch\b",
        ),
        pointing=_any(
            r"\b(?:meine[nmrs]?|unsere[nmrs]?|de[mnr]|diese[nmrs]?|geteilte[nmrs]?) (?:\w+ )?"
            r"(?:bildschirm\w*|desktop|monitor|kamera|webcam)\b",
            r"\b(?:ich|wir) (?:\w+ )?(?:teile|zeige|halte)n?\b|\b(?:teile|zeige|halte) ich\b|\bin der hand\b",
            r"\b(?:siehst du|sehen sie|seht ihr|siehst|erkennst|erkennen sie)\b",
            r"\b(?:nächste|letzte|vorige|erste|zweite|dritte|andere)[rsnm]? (?:seite|zeile|spalte|folie|feld|"
            r"absatz|bild|reiter)\b",
            r"\b(?:rote|grüne|blaue|gelbe|graue|orange|weiße|schwarze|markierte)[rsnm]? (?:balken|punkt|dreieck|"
            r"kreis|pfeil|"
            r"kasten|rahmen|linie|text|schrift|kreuz|haken|licht|lämpchen|zahl|stelle|teil|ding)\w*\b",
            r"\bin der liste\b|\bauf dem (?:bild|foto|zettel|schild)\b|\bim (?:bild|dokument|formular)\b",
            r"\bwas (?:soll|muss) ich (?:\w+ )?(?:auswählen|anklicken|drücken|tun|machen)\W*$|\bda (?:ist|"
            r"kommt) (?:so )?ein\b",
            r"\b(?:ist|stimmt|passt|sieht|geht|heißt) das (?:hier|so|richtig|normal)\b|\babsatz\b",
            r"\b(?:lädt|einstellungen|kurven?|datei|ordner|lesbar|gezoomt|ja oder nein|tastatur)\b|"
            r"\bhabe ich .*ausgefüllt\b",
            r"\b(?:option|seite|datum|zahl|feld|text)\b.*\bhier\b|\bhier nicht weiter\b|"
            r"\brote[rnsm]? (?:meldung|schrift)\b",
            r"\bwas für eine? \w+ ist das\b|\b(?:eingegeben|eingetippt|angeklickt|markiert) habe\b",
            r"\b(?:kannst|können|könntest|könnten) (?:du|sie|ihr)\b.*\b(?:sehen|erkennen|vorlesen|ablesen)\b",
            r"(?:^|[,.!?] *)(?:hier,? )?(?:schau|guck|kuck|sieh)\b|\b(?:schauen|gucken|sehen) sie (?:sich|hier|"
            r"her|mal)",
            r"\b(?:diese[rsnm]?|welche[rsnm]?|de[rmns]|die|das|meine[rsnm]?) (?:\w+ )?"
            r"(?:folien?|diagramm\w*|grafik|knopf|button|schaltfläche|fehlermeldung|fehler|pop-?up|symbol|"
            r"warnung|formel|"
            r"screenshot|fenster|feld|tabelle|überschrift|mauszeiger|bild|menü(?:punkt)?|einstellungen)\b",
            r"\bdiese[rsnm]? (?:\w+ )?(?:seite|formular|meldung|zeile|spalte|zelle|code|text|dokument|datei|liste|"
            r"nachricht|zahl|zahlen|karte|teil|gerät|pflanze|blatt)\b",
            r"\b(?:auf|von|zu) (?:der|dieser) seite\b|\b(?:richtige|falsche)[srn]? (?:formular|seite|feld|datei|"
            r"zeile)\b",
            r"\bwas (?:ist|sind|bedeutet|heißt|soll) (?:das|dies)(?: (?:hier|da|denn|dort))*\W*$",
            r"\b(?:wo|was|welche\w*|wohin|wie)\b.{0,40}\b(?:an)?(?:klicken|drücken|tippen|eintragen|eingeben)\b",
            r"\b(?:oben|unten) (?:rechts|links|in de[rm]|auf de[rm])|\b(?:rechts|links) (?:oben|unten)\b",
            r"\bsteht (?:\w+ )?(?:hier|da|dort|oben|unten|links|rechts)\b|\b(?:hier|da|dort) steht\b",
            r"\b(?:hier|da|daran) (?:falsch|verkehrt|richtig|nicht stimmt)\b|\bwas ist hier\b",
            r"\b(?:lies|lesen sie) (?:mir )?(?:das|dies|vor)\b|\bwas ich (?:\w+ )?(?:offen|geöffnet|hier)\b",
        ),
    ),
    "fr": _Rules(
        idioms=_any(
            r"\bje vois\b(?! (?:un|une|le|la|ici)\b)|\bvoyons\b|\bon (?:se voit|verra)\b|\bregard\w+ si\b",
            r"\bjete\w+ un (?:œil|oeil|coup d'œil) (?:à|sur) (?:ma|notre) (?:réservation|commande)\b|\brelire\b",
        ),
        pointing=_any(
            r"\b(?:mon|ton|notre|votre|cet|à l'|sur l'|de l'|le même) ?écran\b|\bécran partagé|\bcaméra\b|\bwebcam\b",
            r"\b(?:je|nous) (?:\w+ )?(?:montr|partag|tien|tenon)\w*",
            r"\bdans (?:la|ma) main\b|\b(?:devant|derrière) moi\b",
            r"\b(?:tu vois|vous voyez|vois-tu|voyez-vous|remarqu\w+)\b",
            r"\b(?:peux-tu|pouvez-vous|tu peux|vous pouvez) (?:\w+ )?(?:voir|apercevoir|distinguer)\b(?! (?:si|"
            r"avec)\b)",
            r"\bregardez? (?:bien )?(?:ça|ceci|cela|ici|mon|ma|cette|ce|là|l[ae]s?\b)|\bun (?:œil|oeil|coup d'œil)\b",
            r"\b(?:ce|cet|cette|ces) (?:\w+ )?(?:message|erreur|fenêtre|diapo\w*|bouton|champ|formulaire|"
            r"graphique|image|"
            r"photo|tableau|texte|page|ligne|colonne|cellule|code|formule|icône|avertissement|document|schéma|fichier|"
            r"liste|chiffre|plante|objet|appareil|pièce)s?\b",
            r"\b(?:l[ea]s?|l'|du|au|de la|sur la|quel|quelle|une?) ?(?:\w+ )?(?:diapo\w*|graphique|bouton|icône|"
            r"message d'erreur|curseur|capture d'écran|schéma|champ)s?\b",
            r"\bcliqu\w+|\bappu(?:yer|ie|yez)\b",
            r"\ben (?:haut|bas) (?:à (?:gauche|droite)|de (?:l'écran|la page))|\bchamp\b.*\bà (?:gauche|droite)\b",
            r"\b(?:qui est|c'est) (?:écrit|affiché|marqué)\b|\bce qui (?:est affiché|s'affiche)\b",
            r"\bli(?:re|s|sez)(?:-moi)? (?:ça|ceci|cela|ce|le texte)\b",
            r"\b(?:triangle|flèche|barre|cercle|case|coche|voyant|texte|carré|point)s? (?:rouge|vert|bleu|jaune|"
            r"gris|orange|blanc|noir)"
            r"\w*|\bpage (?:suivante|précédente)|\bparagraphe\b|\b(?:dans la liste|sur (?:la photo|l'image))\b",
            r"\bquelle? \w+,? (?:ça|celui-ci|celle-ci)\b|\bc'est quelle? \w+,? ça\b|"
            r"\b(?:est-ce que )?c'est (?:juste|normal|"
            r"correct) (?:ici|là|comme ça)\b|\brien ne se passe\b|\bça (?:affiche|me dit|me demande)\b",
            r"\bc'est quoi,? (?:ça|ceci|cela|ce|cet|cette)\b|\bqu'est-ce que c'est(?: que ça)?\W*$",
            r"\b(?:option|page|date|chiffre|texte|bouton)\b.*\bici\b|\bbonne (?:page|case|ligne)\b|\ble message\b",
            r"\b(?:paramètres|courbes?|fichier|dossier|navigateur|lisible|oui ou non|clavier)\b|\bne? charge pas\b",
            r"\bc'est quel(?:le)? (?:modèle|marque|plante|race)\b|\bj'ai (?:\w+ )?(?:rempli|saisi|ouvert|"
            r"sélectionné|tapé)\b",
            r"\bne va pas (?:ici|là)\b|\b(?:erreur|faute) dans (?:ce|cet|cette)\b",
        ),
    ),
}
# Of a language that there are no rules for: the word for a screen.
_ELSEWHERE: Final = _any(
    r"\bpantalla\b|\bschermo\b|\bscherm\b|\btela\b|\bekran\w*|\bskärm\w*|экран|画面|屏幕|화면|شاشة"
)


_SHORT: Final = 12  # words
_GOING_ON: Final = re.compile(
    r"^(?:and|but|so|und|aber|et|mais)\b(?!\W*(?:thank|danke|merci))"
    r"|\b(?:it|that|there|one|ones|now|below|above|darunter|darüber|daneben|dort|jetzt|ça|là|maintenant|dessous|"
    r"dessus)\b"
)


def wants_to_see(question: str, language: str = "en", *, has_just_looked: bool = False) -> bool:
    """Whether something that was said asks about what is shown: on a shared screen, or to a camera.

    Args:
        question: as it was written, or as the ears understood it.
        language: `en`, `de` or `fr`; "de-CH" is `de`. Of another, the English rules and the word for a screen count.
        has_just_looked: whether the question before did. Then a short one goes on from it: "and the one below?"
    """
    said = " ".join(question.lower().replace("\u2019", "'").split())
    if has_just_looked and len(said.split()) <= _SHORT and _GOING_ON.search(said):
        return True
    rules = _RULES.get(language.partition("-")[0].lower())
    if rules is None:
        return bool(_ELSEWHERE.search(said)) or _points(said, _RULES["en"])
    return _points(said, rules)


def _points(said: str, rules: _Rules) -> bool:
    return rules.pointing.search(rules.idioms.sub(" … ", said)) is not None
