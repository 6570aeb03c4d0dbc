#include <config.h>

#include <idn2.h>
#include <stdint.h>
#include <stdlib.h>
#include <uninorm.h>

#include "base/domain.h"
#include "base/utf8.h"
#include "language/lookalike.h"

#define LOOK_MAX   512 /* octets of a look: those of a name, and some more */
#define LABELS_MAX 128 /* RFC 1035: 253 octets hold no more */

/* Shorter names than these are too many: only what looks the same counts. */
#define SWAP_LENGTH      5 /* under another suffix, or with words around it */
#define NEAR_LENGTH      5 /* one letter off */
#define NEAR_SWAP_LENGTH 7 /* one letter off under another suffix */
#define FAR_LENGTH       9 /* two letters off */

/* What is put around a name to make it look like a service of it. */
static const char *const lures[] = { "acces", "access", "account", "accounts",
	"admin", "alert", "alerte", "amende", "amendes", "app", "assistance",
	"auth", "authentication", "authentification", "billing", "center",
	"centre", "client", "compte", "comptes", "confirm", "confirmation",
	"connect", "connexion", "contact", "direct", "doc", "docs", "document",
	"documents", "email", "enligne", "espace", "facture", "factures",
	"formulaire", "gouv", "gouvernement", "gov", "government", "govt",
	"group", "groupe", "help", "helpdesk", "id", "identity", "info",
	"infos", "intranet", "invoice", "it", "login", "logon", "mail", "mails",
	"message", "messagerie", "mfa", "mobile", "mon", "my", "notice",
	"notification", "office", "official", "officiel", "online", "owa",
	"paiement", "password", "pay", "payment", "portail", "portal", "refund",
	"remboursement", "reset", "secure", "securite", "security", "server",
	"service", "services", "sign", "signin", "site", "sso", "support",
	"team", "update", "user", "validation", "verif", "verification",
	"verify", "vpn", "web", "webmail", "www" };

/* Letters of other scripts by the ASCII letter that they look like. */
static const struct {
	uint32_t letter;
	char ascii;
} alike[] = { { 0x0430, 'a' }, { 0x0251, 'a' }, { 0x03b1, 'a' },
	{ 0x0432, 'b' }, { 0x044c, 'b' }, { 0x0441, 'c' }, { 0x03f2, 'c' },
	{ 0x0501, 'd' }, { 0x0435, 'e' }, { 0x0454, 'e' }, { 0x0261, 'g' },
	{ 0x04bb, 'h' }, { 0x043d, 'h' }, { 0x0456, 'l' }, { 0x03b9, 'l' },
	{ 0x0131, 'l' }, { 0x0458, 'j' }, { 0x03ba, 'k' }, { 0x043a, 'k' },
	{ 0x04cf, 'l' }, { 0x043c, 'm' }, { 0x0578, 'n' }, { 0x03b7, 'n' },
	{ 0x043e, 'o' }, { 0x03bf, 'o' }, { 0x0585, 'o' }, { 0x00f8, 'o' },
	{ 0x0440, 'p' }, { 0x03c1, 'p' }, { 0x0433, 'r' }, { 0x0455, 's' },
	{ 0x0442, 't' }, { 0x03c4, 't' }, { 0x057d, 'u' }, { 0x03c5, 'u' },
	{ 0x03bd, 'v' }, { 0x0475, 'v' }, { 0x0461, 'w' }, { 0x03c9, 'w' },
	{ 0x0445, 'x' }, { 0x03c7, 'x' }, { 0x0443, 'y' }, { 0x03b3, 'y' },
	{ 0x0142, 'l' }, { 0x0111, 'd' }, { 0x0127, 'h' } };

/* A text in the making. */
struct text {
	char text[LOOK_MAX];
	size_t length;
};

/* How a name looks: confusable characters brought to one form each. */
struct look {
	struct text whole;               /* with dots and hyphens */
	struct text plain;               /* without hyphens */
	struct slice labels[LABELS_MAX]; /* of `whole` */
	struct slice plains[LABELS_MAX]; /* of `plain` */
	unsigned label_count;
	unsigned own_labels;      /* those before the public suffix */
	struct slice registrable; /* as it was given */
	bool registrable_is_suffix;
};

/* An entry of the list, prepared. */
struct entry {
	struct slice name, registrable; /* as given, canonical */
	struct slice plain, brand;      /* as they look */
	struct slice *labels;
	unsigned label_count;
	bool brand_is_lure;
	int64_t expires;
};

struct lookalike_set {
	struct entry *entries;
	size_t count;
};

static char
looks_like(uint32_t c)
{
	static const char digits[] = "olzeasbtbg"; /* for 0 to 9 */

	if (c >= '0' && c <= '9')
		return digits[c - '0'];
	if (c == 'i')
		return 'l';
	if (c < 0x80)
		return (char)c;
	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		if (alike[i].letter == c)
			return alike[i].ascii;
	return '\0';
}

/* Appends one character; rn looks like m, vv like w, cl like d. */
static void
add_character(struct text *look, char c)
{
	static const char pairs[][4] = { "rnm", "vvw", "cld" };
	char before = look->length == 0 ? '\0' : look->text[look->length - 1];

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (before == pairs[i][0] && c == pairs[i][1]) {
			look->text[look->length - 1] = pairs[i][2];
			return;
		}
	if (look->length < LOOK_MAX)
		look->text[look->length++] = c;
}

/* Accents off, scripts to ASCII. */
static void
add_letters(struct text *look, struct slice text)
{
	char bytes[4];

	while (text.length > 0) {
		uint32_t c = utf8_next(&text, NULL);
		char ascii;

		if (c >= 0x300 && c < 0x370)
			continue; /* a combining mark */
		ascii = looks_like(c);
		if (ascii != '\0') {
			add_character(look, ascii);
			continue;
		}
		for (size_t i = 0, n = utf8_encode(c, bytes); i < n; i++)
			add_character(look, bytes[i]);
	}
}

/* The letters that A-labels stand for, without their accents. */
static void
add_unicode(struct text *look, struct slice domain)
{
	char name[DOMAIN_TEXT_MAX + 1];
	char *unicode = NULL;
	uint8_t *plain;
	size_t length = 0;

	memcpy(name, domain.data, domain.length);
	name[domain.length] = '\0';
	if (idn2_to_unicode_8z8z(name, &unicode, 0) != IDN2_OK)
		unicode = NULL;
	plain = u8_normalize(UNINORM_NFKD,
	    (const uint8_t *)(unicode == NULL ? name : unicode),
	    strlen(unicode == NULL ? name : unicode), NULL, &length);
	add_letters(look, plain == NULL ? domain : slice_make(plain, length));
	free(plain);
	if (unicode != NULL)
		idn2_free(unicode);
}

static unsigned
split_labels(const struct text *text, struct slice labels[LABELS_MAX])
{
	struct slice rest = slice_make(text->text, text->length);
	unsigned count = 0;

	while (rest.length > 0 && count < LABELS_MAX)
		rest = slice_split(rest, '.', &labels[count++]);
	return count;
}

/* False for what is too long for a name. */
static bool
look_at(struct look *look, struct slice domain)
{
	unsigned below;

	look->whole.length = look->plain.length = 0;
	if (domain.length == 0 || domain.length > DOMAIN_TEXT_MAX)
		return false;
	if (slice_find(domain, SLICE_LITERAL("xn--")) == SIZE_MAX)
		add_letters(&look->whole, domain);
	else
		add_unicode(&look->whole, domain);
	for (size_t i = 0; i < look->whole.length; i++)
		if (look->whole.text[i] != '-')
			add_character(&look->plain, look->whole.text[i]);
	look->label_count = split_labels(&look->whole, look->labels);
	if (split_labels(&look->plain, look->plains) != look->label_count)
		return false; /* a label of hyphens alone */
	look->registrable = domain_registrable(domain);
	below =
	    domain_label_count(domain) - domain_label_count(look->registrable);
	look->registrable_is_suffix =
	    domain_is_public_suffix(look->registrable);
	look->own_labels = look->registrable_is_suffix ? 1 : below + 1;
	return look->label_count > 0 && look->own_labels <= look->label_count;
}

/* Which letters occur: a bit for each, some share one. */
static uint32_t
letters_of(struct slice text)
{
	uint32_t letters = 0;

	for (size_t i = 0; i < text.length; i++)
		letters |= UINT32_C(1) << ((unsigned char)text.data[i] & 31);
	return letters;
}

/* True when the edit distance (swapped neighbours count one) is at most
 * `most`, which is 0, 1 or 2. */
static bool
is_near(struct slice a, struct slice b, unsigned most)
{
	unsigned rows[3][LOOK_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	if (a.length > LOOK_MAX || b.length > LOOK_MAX ||
	    a.length > b.length + most || b.length > a.length + most)
		return false;
	if (most == 0)
		return slice_equal(a, b);
	/* Each edit takes one letter away and brings another. */
	if ((unsigned)__builtin_popcount(letters_of(a) ^ letters_of(b)) >
	    2 * most)
		return false;
	for (size_t j = 0; j <= b.length; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= a.length; i++) {
		unsigned *spare = before, least = row[0] = (unsigned)i;

		for (size_t j = 1; j <= b.length; j++) {
			unsigned cost = a.data[i - 1] != b.data[j - 1];
			unsigned best = above[j - 1] + cost;

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && cost &&
			    a.data[i - 1] == b.data[j - 2] &&
			    a.data[i - 2] == b.data[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
			least = best < least ? best : least;
		}
		if (least > most)
			return false;
		before = above;
		above = row;
		row = spare;
	}
	return above[b.length] <= most;
}

/* ---- the ways to look like an entry */

/* The whole name, or the last labels of it, as many as ours has. */
static bool
looks_the_same(const struct entry *own, const struct look *other)
{
	size_t length = own->brand.length;
	unsigned most = length >= FAR_LENGTH    ? 2
			: length >= NEAR_LENGTH ? 1
						: 0;
	struct slice tail;

	if (other->label_count < own->label_count)
		return false;
	tail = other->plains[other->label_count - own->label_count];
	tail.length =
	    other->plain.length - (size_t)(tail.data - other->plain.text);
	return is_near(tail, own->plain, most);
}

static bool
is_lure(struct slice word)
{
	for (size_t i = 0; i < sizeof lures / sizeof *lures; i++) {
		struct text look = { .length = 0 };

		add_letters(&look, slice_text(lures[i]));
		if (slice_equal(word, slice_make(look.text, look.length)))
			return true;
	}
	return false;
}

/* interieur.com, lnterieur.fr for interieur.example. */
static bool
swaps_the_suffix(const struct entry *own, const struct look *other)
{
	size_t length = own->brand.length;

	return length >= SWAP_LENGTH && !own->brand_is_lure &&
	       is_near(other->plains[other->own_labels - 1], own->brand,
		   length >= NEAR_SWAP_LENGTH ? 1 : 0);
}

/* How many of our labels make it our name: at least two, and the top-level one
 * is not needed beside two others. 0: it can't be told by them. */
static unsigned
telling_labels(const struct entry *own)
{
	return own->label_count > 2    ? own->label_count - 1
	       : own->label_count == 2 ? 2
				       : 0;
}

/* Our labels in a row, with something below or above them:
 * interieur.example.evil.tld, interieur.gouv.com. */
static bool
carries_our_labels(const struct entry *own, const struct look *other)
{
	unsigned wanted = telling_labels(own);

	for (unsigned from = 0;
	     wanted > 0 && from + wanted <= other->label_count; from++) {
		unsigned same = 0;

		while (same < wanted && slice_equal(other->labels[from + same],
					    own->labels[same]))
			same++;
		if (same == wanted)
			return true;
	}
	return false;
}

/* Takes the first hyphened word of a label. */
static struct slice
next_word(struct slice *rest)
{
	struct slice word;

	*rest = slice_split(*rest, '-', &word);
	return word;
}

/* interieur-gouv-fr.tld: the words of our labels in a row within one label. */
static bool
joins_our_labels(const struct entry *own, struct slice label)
{
	unsigned wanted = telling_labels(own);

	while (wanted > 0 && label.length > 0) {
		struct slice rest = label;
		bool same = true;

		for (unsigned i = 0; i < wanted && same; i++) {
			struct slice words = own->labels[i];

			while (words.length > 0 && same)
				same = slice_equal(
				    next_word(&words), next_word(&rest));
		}
		if (same)
			return true;
		next_word(&label);
	}
	return false;
}

/* Marks in `reached` where a word that begins at `at` ends. */
static void
step(struct slice text, size_t at, struct slice word, bool *reached)
{
	if (word.length > 0 && slice_starts_with(slice_skip(text, at), word))
		reached[at + word.length] = true;
}

/* Nothing but lures and words of our own name. */
static bool
is_made_of_words(const struct entry *own, struct slice text)
{
	bool reached[LOOK_MAX + 1] = { true };

	for (size_t at = 0; at < text.length; at++) {
		if (!reached[at])
			continue;
		for (size_t i = 0; i < sizeof lures / sizeof *lures; i++) {
			struct text look = { .length = 0 };

			add_letters(&look, slice_text(lures[i]));
			step(text, at, slice_make(look.text, look.length),
			    reached);
		}
		for (unsigned i = 0; i < own->label_count; i++) {
			struct slice words = own->labels[i];

			while (words.length > 0)
				step(text, at, next_word(&words), reached);
		}
	}
	return reached[text.length];
}

/* secure-interieur.tld, interieurgouv.tld. */
static bool
adds_words(const struct entry *own, struct slice label)
{
	size_t at = slice_find(label, own->brand);

	if (own->brand.length < SWAP_LENGTH || at == SIZE_MAX ||
	    label.length <= own->brand.length || own->brand_is_lure)
		return false;
	return is_made_of_words(own, slice_range(label, 0, at)) &&
	       is_made_of_words(own, slice_skip(label, at + own->brand.length));
}

static bool
is_lookalike(const struct entry *own, const struct look *other)
{
	if (looks_the_same(own, other) || carries_our_labels(own, other) ||
	    swaps_the_suffix(own, other))
		return true;
	for (unsigned i = 0; i < other->own_labels; i++)
		if (joins_our_labels(own, other->labels[i]) ||
		    adds_words(own, other->plains[i]))
			return true;
	return false;
}

/* ---- the list */

static bool
prepare_entry(struct arena *arena, struct slice name, struct entry *entry)
{
	struct look look;
	struct slice canonical;

	if (!domain_canonical(arena, name, &canonical) ||
	    !look_at(&look, canonical))
		return true; /* nothing looks like that */
	entry->labels =
	    arena_alloc_array(arena, look.label_count, sizeof *entry->labels);
	if (entry->labels == NULL)
		return false;
	for (unsigned i = 0; i < look.label_count; i++)
		entry->labels[i] = arena_copy(arena, look.labels[i]);
	entry->label_count = look.label_count;
	entry->plain =
	    arena_copy(arena, slice_make(look.plain.text, look.plain.length));
	entry->brand = arena_copy(arena, look.plains[look.own_labels - 1]);
	entry->brand_is_lure = is_lure(entry->brand);
	entry->name = canonical;
	entry->registrable = look.registrable; /* part of `canonical` */
	return entry->brand.data != NULL && entry->plain.data != NULL;
}

struct lookalike_set *
lookalike_prepare(struct arena *arena, const struct value_list *list)
{
	struct lookalike_set *set = arena_alloc(arena, sizeof *set);
	size_t count = value_list_type_of(list) == LIST_DOMAINS
			   ? value_list_count(list)
			   : 0;

	if (set == NULL)
		return NULL;
	*set = (struct lookalike_set){ .count = count };
	set->entries =
	    arena_alloc_array(arena, count + 1, sizeof *set->entries);
	for (size_t i = 0; set->entries != NULL && i < count; i++) {
		struct entry *entry = &set->entries[i];
		struct slice name = value_list_entry(list, i, &entry->expires);

		if (!prepare_entry(arena, name, entry))
			return NULL;
	}
	return set->entries == NULL ? NULL : set;
}

bool
lookalike_any(const struct lookalike_set *set, struct slice domain, int64_t now)
{
	struct look other;
	bool found = false;

	if (!look_at(&other, domain))
		return false;
	for (size_t i = 0; i < set->count; i++) {
		const struct entry *own = &set->entries[i];

		if (own->label_count == 0 ||
		    (own->expires != 0 && now >= own->expires))
			continue;
		/* Under an entry, or under the same registrable domain: the
		 * holder's own. */
		if (domain_is_under(domain, own->name) ||
		    (slice_equal(own->registrable, other.registrable) &&
			!other.registrable_is_suffix))
			return false;
		found = found || is_lookalike(own, &other);
	}
	return found;
}
