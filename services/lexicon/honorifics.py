"""Titles before a name and suffixes after it: ranks, offices, honorifics, degrees and ordinals (R26, R27)."""

import re
from collections.abc import Sequence
from typing import Final

from services.lexicon.folding import fold, words

#: Suffixes that are never names.
SUFFIXES: Final = words(
    """
    jr sr ii iii iv v vi vii viii 1st 2nd 3rd 4th 5th 6th 2d 3d
    esq esquire phd md jd llm lld llb dds dmd dvm edd psyd dmin thd mdiv dba dnp pharmd scd jsd
    cpa cfa cfp rn bsn msn aprn crna mba mpa mpp mph msw lcsw lmft lpc mfa med bsc msc mphil
    pmp cissp cism aia faia aicp faicp cem cfm csp facs facp faan faap facep facc qc kc obe mbe cbe
    osb ofm ssj csj rsm snd ret retired usn usa usaf usmc uscg ussf usnr usar usafr uscgr usmcr usphs arng anrng ang
    """
)
#: Suffixes that may also be names, initials or words: they count only after a comma, or as letters after a full name.
_DOUBTFUL_SUFFIXES: Final = words("ma do ba bs ms pa od pe np op sj cm csc cssr csb am dc pac junior senior i")
#: After one name and a comma, these are initials or a given name: "Vance, JD", "Rahman, Md".
_INITIALS: Final = _DOUBTFUL_SUFFIXES | words("jd md v vi")

#: Honorifics, offices and ranks before a name.
_TITLES: Final = words(
    """
    mr mrs ms miss mx master sir dame madam madame mme mlle mademoiselle monsieur messrs mmes ladies gentlemen
    sra srta senor senora senorita herr frau sig signor signora shri smt dhr mevr
    dr drs doctor prof professor rector provost principal superintendent supt
    hon honorable honourable excellency he hrh honor eminence holiness highness majesty
    sen senator senators rep representative representatives congressman congresswoman congressmember congressperson cong delegate assemblyman
    assemblywoman assemblymember assemblyperson asm councilman councilwoman councilmember councilperson councilor councillor
    cllr alderman alderwoman alderperson aldermen ald selectman selectwoman selectperson supervisor freeholder legislator
    gov governor ltgov mayor sheriff undersheriff commissioner comm commr ambassador amb secretary sec undersecretary minister premier
    chancellor president pres speaker whip chairman chairwoman chairperson chair chairs vicechair member leader executive
    administrator director treasurer treas comptroller controller auditor assessor clerk registrar recorder coroner
    attorney atty solicitor judge justice magistrate marshal consul envoy nuncio trustee regent commissioners
    chief cacique lonko sachem chieftain headman
    officer detective det trooper deputy agent inspector insp constable ranger investigator warden
    rev revd reverend fr father msgr monsignor rabbi rebbe imam sheikh shaykh sheik mullah ayatollah mufti sister mother
    brother bro pastor bishop archbishop abp cardinal deacon dcn archdeacon elder canon ven venerable swami cantor chaplain
    metropolitan patriarch abbot prior evangelist apostle
    pvt private pv2 pfc spc specialist cpl corporal lcpl sgt sergeant ssg ssgt sfc msg msgt smsgt cmsgt cmsaf 1sg 1stsgt sgm
    sgtmaj csm sma gysgt mgysgt tsgt amn airman a1c sra wo wo1 cwo cwo2 cwo3 cwo4 cwo5 cw2 cw3 cw4 cw5 seaman fireman po1 po2
    po3 cpo scpo mcpo mcpon ensign ens midshipman cadet lt lieutenant 1lt 2lt 1stlt 2ndlt 2dlt ltjg lcdr cdr cmdr comdr commander cpt
    capt captain maj major ltc ltcol lieutenantcolonel col colonel brigadier bgen brigen briggen brig majgen ltgen ltg gen general
    commodore rdml radm vadm adm admiral marshall
    bg mg sn del br lady lord
    """
)
#: Titles that are also given names: before a single word they are the name ("Major Owens", "Judge Reinhold").
_ALSO_NAMES: Final = words(
    """
    major judge bishop sister marshal marshall deacon elder canon cardinal abbot prior master mother brother bg mg sn del br bro he
    shri justice chancellor lady lord ranger warden regent private cadet rebbe he member leader executive chair evangelist
    """
)
#: The lists above leave out words that are often names and rarely titles here: "Dean", "Earl", "King", "Pope", "Prince".

#: Words that belong to the title after them: "State Senator", "the Right Rev.", "1st Sgt.", "Dr. and Mrs.".
_BEFORE_TITLES: Final = words(
    """
    the state us u s united states federal former acting deputy assistant asst associate under vice county city town township village
    district resident majority minority prime right rt most very his her your attorney special lead senior first second third
    1st 2nd 2d 3rd brigadier rear gunnery petty warrant staff technical command fleet police fire tribal national principal
    assembly council board senate house and or chief master surgeon inspector postmaster adjutant interim presiding managing
    executive supervisory lance field air army navy borough parish ward municipal circuit supreme court probate
    """
)
#: Words that belong to the title before them: "Governor-elect", "President pro tempore", "Judge (Ret.)".
_AFTER_TITLES: Final = words("elect designate emeritus emerita pro tem tempore jg junior grade class select")
#: Words after "of" in a title: "Secretary of State", "Chief of Police".
_OF_WHAT: Final = words(
    """
    the state defense labor energy education agriculture commerce treasury interior health human services transportation homeland security
    police staff house senate assembly board council deeds wills schools public safety veterans affairs
    """
)
#: Ranks of several words that could be two titles in a row; the second word is not a name.
_RANKS_BEFORE: Final = words("sgt sergeant maj major lt lieutenant brig brigadier drum chief")

_PERIODS: Final = re.compile(r"\.\s*\w")
_LETTERS: Final = re.compile(r"[^\W\d_]")


def _keys(token: str) -> list[str]:
    folded = fold(token)
    joined = folded.replace(" ", "")
    # "Lt.Col." is two words, "Ph.D." is one.
    return [joined] if joined in _TITLES or joined in SUFFIXES or joined in _DOUBTFUL_SUFFIXES else folded.split()


def may_stand_in_a_name(word: str) -> bool:
    """Return whether a folded word is a title or suffix, and so may be between given and family name."""
    return word in _TITLES or word in SUFFIXES


def title_ends(tokens: Sequence[str]) -> list[int]:
    """Return the possible lengths of a title at the start, in tokens, the shortest first."""
    ends: list[int] = []
    has_title, after_of = False, False
    for at, token in enumerate(tokens, start=1):
        complete = False
        for key in _keys(token) or ["?"]:
            if after_of and key in _OF_WHAT:
                complete = key != "the"
            elif key == "of" and has_title:
                after_of, complete = True, False
            elif key in _TITLES or (key == "sr" and at == 1):
                # "Sr." before a name is Señor or Sister; after a name it is Senior.
                has_title, after_of, complete = True, False, True
            elif has_title and key in _AFTER_TITLES:
                complete = True
            elif key in _BEFORE_TITLES:
                after_of, complete = False, False
            else:
                return ends
        if complete:
            ends.append(at)
    return ends


def leading_title(tokens: Sequence[str], *, sure: bool = False) -> int:
    """Return the length of the title at the start, in tokens, leaving at least one for the name.

    :param sure: only titles that are not also names.
    """
    for end in reversed(title_ends(tokens)):
        left = len(tokens) - end
        if left < 1:
            continue
        last = _keys(tokens[end - 1])[-1]
        before = [key for token in tokens[: end - 1] for key in _keys(token)]
        is_rank = bool(before) and before[-1] in _RANKS_BEFORE
        if last in _ALSO_NAMES and not is_rank and (sure or (left == 1 and (not before or last == "major"))):
            continue
        return end
    if not sure and len(tokens) > 2 and tokens[0] in {"M.", "M"} and fold(tokens[1]) in _FRENCH:
        return 1
    return 0


def is_title(tokens: Sequence[str]) -> bool:
    """Return whether all tokens together are one title."""
    return bool(tokens) and title_ends(tokens)[-1:] == [len(tokens)]


def is_also_name(tokens: Sequence[str]) -> bool:
    """Return whether a title is also a given name."""
    return len(tokens) == 1 and _keys(tokens[0])[-1:] != [] and _keys(tokens[0])[-1] in _ALSO_NAMES


def is_suffix(tokens: Sequence[str]) -> bool:
    """Return whether all tokens, from after a comma or in brackets, are suffixes."""
    return bool(tokens) and all(key in SUFFIXES or key in _DOUBTFUL_SUFFIXES for token in _joined(tokens) for key in [*_keys(token)] or ["?"])


def may_be_initials(tokens: Sequence[str]) -> bool:
    """Return whether a suffix may also be initials or a given name."""
    return len(tokens) == 1 and "".join(_keys(tokens[0])) in _INITIALS


def trailing_suffix(tokens: Sequence[str], *, least: int = 2) -> int:
    """Return the length of the suffixes at the end, in tokens, leaving at least one for the name.

    :param least: words that must precede an ambiguous suffix, such as "MA" or "D.O.".
    """
    count = 0
    shouting = all(token.isupper() for token in tokens if _LETTERS.search(token))
    while len(tokens) - count > 1:
        token = tokens[len(tokens) - count - 1]
        left = len(tokens) - count - 1
        keys = _keys(token)
        key = "".join(keys)
        if count and key == "the":
            count += 1
        elif keys and all(each in SUFFIXES for each in keys):
            if key in {"v", "vi"} and left < least:
                break
            count += 1
        elif key == "d" and _keys(tokens[left - 1]) == ["ph"] and left > 1:
            # "Ph. D." in two words.
            count += 2
        elif (
            key in _DOUBTFUL_SUFFIXES
            and left >= least
            and (_PERIODS.search(token) or (key == "junior" and left > 1) or (token.isupper() and not shouting))
        ):
            count += 1
        else:
            break
    return count if len(tokens) > count else 0


def _joined(tokens: Sequence[str]) -> list[str]:
    """Join "Ph. D." into one token."""
    joined: list[str] = []
    for token in tokens:
        if joined and fold(token) == "d" and fold(joined[-1]) == "ph":
            joined[-1] += token
        else:
            joined.append(token)
    return joined


def without_titles(tokens: Sequence[str]) -> list[str]:
    """Return the words of a search without titles and suffixes, or all words if there are no others."""
    kept: list[str] = []
    at = 0
    while at < len(tokens):
        if ends := title_ends(tokens[at:]):
            at += ends[-1]
            continue
        if not is_suffix(tokens[at : at + 1]) and fold(tokens[at]) not in {"the", "m"}:
            kept.append(tokens[at])
        at += 1
    return kept or list(tokens)


_FRENCH: Final = words(
    """
    alain albert alexandre andre anne antoine arnaud benoit bernard bruno camille charles christian christophe claude claudine
    daniel david denis didier dominique edouard emile emmanuel eric etienne fabien fabrice florian francois francoise frederic
    gabriel gaston georges gerard gilbert gilles gregoire guillaume guy henri herve hugo hugues jacques jean jeanmarie jerome joel
    joseph julien laurent lionel louis luc lucien marc marcel marie mathieu matthieu maurice maxime michel nathan nicolas noel
    olivier pascal patrice patrick paul philippe pierre quentin raphael raymond regis remi remy rene robert roger roland romain
    sebastien serge simon stephane sylvain theo theodore thierry thomas valery victor vincent xavier yann yannick yves yvon
    """
)
