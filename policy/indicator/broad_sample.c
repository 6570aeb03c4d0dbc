#include <config.h>

#include "base/list.h"
#include "indicator/broad_sample.h"

#define VALUES_MAX     200u
#define COUNT(array)   (sizeof(array) / sizeof(array)[0])
#define PICK(array, n) ((array)[(n) % COUNT(array)])

static const char *const hosts[] = {
	"gmail.com",
	"outlook.com",
	"yahoo.com",
	"hotmail.com",
	"icloud.com",
	"web.de",
	"gmx.net",
	"orange.fr",
	"libero.it",
	"mail.ru",
	"qq.com",
	"google.com",
	"microsoft.com",
	"facebook.com",
	"linkedin.com",
	"youtube.com",
	"apple.com",
	"amazon.com",
	"paypal.com",
	"dhl.de",
	"sunnyfield-bakery.com",
	"northgate-school.org",
	"mayer-sanitaer.de",
	"boulangerie-martin.fr",
	"cityofbrookdale.gov",
	"riverbank-law.com",
	"uni-altstadt.de",
	"kbook.co.jp",
	"greenleaf.co.uk",
	"hotel-adler.at",
	"openforum.org",
	"photoclub.ch",
	"tulip-export.nl",
	"volvere.it",
	"casa-blanca.es",
	"fjordtours.no",
	"skolan-lund.se",
	"kaffehuset.dk",
	"ogrod-marzen.pl",
	"knihovna-brno.cz",
	"ipari-park.hu",
	"cafe-sofia.bg",
	"nova-obra.com.br",
	"mercado-sur.com.ar",
	"libreria-luna.mx",
	"harbour.com.au",
	"kiwi-farm.co.nz",
	"maple-it.ca",
	"delhi-tech.in",
	"lotus-trade.com.sg",
	"hanbit.co.kr",
	"sakura-print.jp",
	"tanfeng.cn",
	"taipei-tools.tw",
	"izmir-tekstil.com.tr",
	"ellas-travel.gr",
	"stroy-dom.ru",
	"dnipro-auto.ua",
	"cape-wines.co.za",
	"lagos-media.ng",
	"invoice-cloud.com",
	"ticket-shop.net",
	"weathernow.net",
	"parcelbox.io",
	"devnotes.io",
	"startup-hub.co",
	"smartbooks.app",
	"teamboard.app",
	"blog-garden.info",
	"citybike.eu",
	"europlan.eu",
	"mybank-online.com",
	"first-union.com",
	"healthfirst.org",
	"red-fox-media.com",
	"quickjet.com",
	"zenith-optics.com",
	"vacuum-works.com",
	"jazzclub.org",
	"oxford-row.com",
	"wikispace.org",
	"textile-house.com",
	"university.edu",
	"lakeside.edu",
	"research-lab.edu",
	"state-college.edu",
	"newsletter24.com",
	"mailout.net",
	"static-content.net",
	"cdn-images.net",
	"trackmail.com",
	"surveys4u.com",
	"joblist.com",
	"booking-point.com",
	"airfare.com",
	"fitlife.com",
	"toyland.com",
	"pet-corner.com",
	"autohaus-krause.de",
	"kita-sonne.de",
	"steuer-kanzlei.de",
	"sportverein-ost.de",
	"mairie-valmont.fr",
	"assurance-plus.fr",
	"comune-rocca.it",
	"studio-bianchi.it",
	"gemeente-dorp.nl",
	"fietsen.nl",
	"advocaten.be",
	"radio-ici.be",
	"xmail.com",
	"foto-online.com",
	"global-shipping.com",
	"bluewave.com",
	"peoplefirst.com",
	"hrportal.com",
	"payroll-desk.com",
	"cloudfiles.com",
	"documents.online",
	"designbox.studio",
	"webshop.store",
	"meinverein.de",
};

static const char *const people[] = {
	"info",
	"office",
	"john.smith",
	"m.mueller",
	"marie.dupont",
	"sales",
	"support",
	"noreply",
	"no-reply",
	"newsletter",
	"kontakt",
	"admin",
	"anna",
	"giulia.rossi",
	"p.novak",
	"li.wei",
	"yuki",
	"contact",
	"accounting",
	"service",
	"jose.garcia",
	"kate_w",
	"bob1975",
	"hr",
	"billing",
	"team",
	"olga.ivanova",
	"fatima",
	"d.jansen",
	"xavier",
	"notifications",
	"editor",
	"q.zhang",
	"lars",
	"mehmet.k",
	"thomas",
};

static const char *const paths[] = {
	"/",
	"/index.html",
	"/en/news",
	"/login",
	"/unsubscribe?id=48213",
	"/images/logo.png",
	"/track/click?u=9f3a&m=77",
	"/",
	"/de/kontakt",
	"/product/4711",
	"/view?doc=2026-11",
	"/blog/2026/10/autumn",
	"/account/settings",
	"/privacy",
	"/static/css/mail.css",
	"/c/AbX9",
	"/files/report.pdf",
	"/wp-content/uploads/photo.jpg",
	"/fr/agenda",
	"/event.php?id=12",
	"/o/8c1f2e",
	"/share/folder",
	"/help",
	"",
};

static const char *const subjects[] = {
	"Re: agenda for Thursday",
	"Minutes 47",
	"Your order has shipped",
	"Invoice 20261104",
	"Fwd: holiday photos",
	"Meeting tomorrow at 10",
	"Weekly newsletter",
	"AW: Angebot",
	"Rechnung Nr. 5521",
	"Einladung zur Jahresversammlung",
	"Re: Re: contract draft",
	"Welcome to the team",
	"Password reset",
	"Your receipt",
	"Happy birthday!",
	"Bestellbestaetigung 88-1203",
	"WG: Termin am Montag",
	"Votre facture de novembre",
	"RE: devis",
	"Compte rendu de la reunion",
	"Invitation: planning @ Wed",
	"Lunch?",
	"Question about the report",
	"Fattura n. 311",
	"R: preventivo",
	"Conferma prenotazione",
	"Factura pendiente",
	"Reunion del lunes",
	"Confirmacion de pedido",
	"Uw bestelling",
	"Nieuwsbrief december",
	"Fakturan f\303\266r oktober",
	"Zapytanie ofertowe",
	"Odp: umowa",
	"Potwierdzenie rezerwacji",
	"Objedn\303\241vka 2201",
	"Sz\303\241mla",
	"Siparisiniz hakkinda",
	"\320\222\321\201\321\202\321\200\320\265\321\207\320\260",
	"\320\241\321\207\321\221\321\202 \342\204\226 12",
	"\344\274\232\350\256\256\351\200\232\347\237\245",
	"\350\253\213\346\261\202\346\233\270",
	"\355\232\214\354\235\230",
	"\330\247\331\204\330\247\330\254\330\252\331\205\330\247\330\271",
	"Job application",
	"New comment on your post",
	"Security alert",
	"Notes from the call",
	"Out of office",
	"Delivery on Friday",
	"Your ticket #90412",
	"Update on the project",
	"Thank you",
	"Survey: how did we do?",
	"Last chance: 20% off",
	"Payment received",
	"School trip",
	"Contract renewal",
	"Backup finished on srv2",
	"Cron job output",
	"Photos",
	"test",
	"Hello",
	"",
};

static const char *const names[] = {
	"invoice.pdf",
	"report.pdf",
	"photo 3.jpg",
	"IMG_2041.jpg",
	"logo.png",
	"image001.png",
	"agenda.docx",
	"contract.pdf",
	"plan.xlsx",
	"Rechnung_5521.pdf",
	"invite.ics",
	"slides.pptx",
	"notes.txt",
	"facture.pdf",
	"scan0004.pdf",
	"signature.asc",
	"smime.p7s",
	"winmail.dat",
	"data.csv",
	"archive.zip",
	"photos.zip",
	"backup.gz",
	"Lebenslauf.doc",
	"cv.pdf",
	"image.gif",
	"voice.mp3",
	"clip.mp4",
	"fattura.xml",
	"presupuesto.xls",
	"map.jpeg",
	"ticket.pdf",
	"page.html",
	"message.eml",
	"vcard.vcf",
	"drawing.svg",
	"order.rtf",
	"umowa.odt",
	"\344\274\232\350\256\256.docx",
	"letter.pdf",
	"quote.xlsx",
};

static const char *const mailers[] = {
	"Microsoft Outlook 16.0",
	"Apple Mail (2.3731.700.6)",
	"iPhone Mail",
	"Mozilla Thunderbird",
	"Roundcube Webmail/1.6.5",
	"PHPMailer 6.8.0",
	"SquirrelMail",
	"Evolution 3.46.4",
	"mailchimp",
	"YahooMailBasic",
	"K-9 Mail for Android",
	"Zimbra 9.0",
	"Mutt/2.2.9",
	"git-send-email",
	"Lotus Notes",
	"nodemailer",
	"The Bat!",
	"SOGoMail 5.8",
	"eM Client",
	"Open-Xchange Mailer",
};

static const char *const addresses[] = {
	"62.210.77.19",
	"104.47.9.33",
	"40.107.22.81",
	"209.85.128.47",
	"17.58.6.40",
	"66.163.184.9",
	"185.70.40.12",
	"212.227.15.15",
	"81.169.146.6",
	"193.252.22.30",
	"94.100.180.31",
	"203.205.251.17",
	"54.240.8.19",
	"149.72.30.5",
	"167.89.100.2",
	"198.2.130.8",
	"51.77.140.2",
	"5.9.115.20",
	"78.46.5.205",
	"37.187.56.3",
	"217.69.139.1",
	"151.101.1.6",
	"13.111.55.8",
	"34.107.9.4",
	"91.198.174.2",
	"176.9.44.150",
	"128.30.52.9",
	"130.83.56.7",
	"144.76.200.9",
	"139.59.12.18",
	"159.203.7.7",
	"46.4.88.16",
};

static const char *const addresses_6[] = { "2a01:4f8:1c2c::5",
	"2607:f8b0:4864:20::62a", "2a00:1450:4864::33", "2603:10a6:20b::7",
	"2001:41d0:8:9::2", "2620:100:9005::4", "2c0f:fb50:4002::1",
	"2400:cb00:71::9" };

/* Of each soup: labels that hold every letter and digit. */
#define SOUP_LABELS 9u
static const char *const soups[BROAD_SAMPLE_SOUPS][SOUP_LABELS] = {
	{ "quickzebra", "joyfulpath", "vexmind", "grows10", "k234", "t56789",
	    "wand", "lamp", "stone" },
	{ "jackdaws-love", "my-big", "sphinx-of", "quartz", "b86", "z307",
	    "n1429", "p5", "rye" },
	{ "wolf-veg", "hymn-jab", "quokka", "prize-duct", "sox", "9876", "5-43",
	    "2a10", "lynx" },
};
static const char *const soup_suffixes[] = { "com", "org", "de" };
static const char *const soup_endings[] = { "pdf", "jpg", "zip" };

static bool
add(struct arena *arena, struct match_observations *observations,
    enum indicator_kind kind, enum match_where where, const char *value)
{
	struct match_observation *one = NULL;

	if (value != NULL)
		one = list_append(arena, &observations->items, VALUES_MAX);
	if (one == NULL)
		return false;
	*one = (struct match_observation){
		.kind = kind,
		.where = where,
		.value = slice_text(value),
		.part = where == MATCH_ATTACHMENT || where == MATCH_TEXT ||
				where == MATCH_LINK
			    ? 0
			    : -1,
	};
	return true;
}

/* A digest that looks like any other. */
static const char *
digest(struct arena *arena, enum indicator_kind kind, unsigned number)
{
	uint64_t state = number * 2654435761u + kind + 1;
	size_t length = 2 * indicator_digest_size(kind);
	char *text = arena_alloc(arena, length + 1);

	for (size_t i = 0; text != NULL && i < length; i++) {
		state = state * 6364136223846793005u + 1442695040888963407u;
		text[i] = "0123456789abcdef"[state >> 60];
	}
	if (text != NULL)
		text[length] = '\0';
	return text;
}

static bool
add_files(struct arena *arena, unsigned number,
    struct match_observations *observations)
{
	static const enum indicator_kind digests[] = { INDICATOR_MD5,
		INDICATOR_SHA1, INDICATOR_SHA256, INDICATOR_SHA512 };
	bool good = add(arena, observations, INDICATOR_FILENAME,
	    MATCH_ATTACHMENT, PICK(names, number * 7));

	for (size_t i = 0; i < COUNT(digests); i++)
		good = good &&
		       add(arena, observations, digests[i], MATCH_ATTACHMENT,
			   digest(arena, digests[i], number));
	return good;
}

static bool
add_links(struct arena *arena, unsigned number,
    struct match_observations *observations)
{
	bool good = true;

	for (unsigned i = 0; i < 3; i++)
		good =
		    good && add(arena, observations, INDICATOR_URL, MATCH_LINK,
				arena_printf(arena, "%s://%s%s%s",
				    (number + i) % 5 == 0 ? "http" : "https",
				    (number + i) % 2 == 0 ? "www." : "",
				    PICK(hosts, number * 29 + i * 41 + 3),
				    PICK(paths, number * 5 + i * 11)));
	return good;
}

bool
broad_sample_message(struct arena *arena, unsigned number,
    struct match_observations *observations)
{
	/* The one mail service that most have. */
	const char *from =
	    number % 4 == 1 ? hosts[0] : PICK(hosts, number * 23);
	const char *to = PICK(hosts, number * 37 + 11);
	const char *sender =
	    arena_printf(arena, "%s@%s", PICK(people, number * 5), from);
	const char *reader =
	    arena_printf(arena, "%s@%s", PICK(people, number * 7 + 3), to);

	return add(arena, observations, INDICATOR_NETWORK, MATCH_CLIENT,
		   PICK(addresses, number)) &&
	       add(arena, observations, INDICATOR_NETWORK, MATCH_RECEIVED,
		   PICK(addresses_6, number)) &&
	       add(arena, observations, INDICATOR_DOMAIN, MATCH_HELO,
		   arena_printf(arena, "mail%u.%s", number % 9, from)) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_MAIL_FROM,
		   sender) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_RCPT,
		   reader) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_FROM,
		   sender) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_TO, reader) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_REPLY_TO,
		   sender) &&
	       add(arena, observations, INDICATOR_SUBJECT, MATCH_SUBJECT,
		   arena_printf(arena, "%s%s", number % 4 == 2 ? "Re: " : "",
		       PICK(subjects, number))) &&
	       add(arena, observations, INDICATOR_MAILER, MATCH_MAILER,
		   PICK(mailers, number)) &&
	       add(arena, observations, INDICATOR_MESSAGE_ID, MATCH_MESSAGE_ID,
		   arena_printf(arena, "%.12s.%u@%s",
		       digest(arena, INDICATOR_MD5, number + 900), number * 41,
		       from)) &&
	       add_links(arena, number, observations) &&
	       add_files(arena, number, observations);
}

/* All that a label under a suffix can be. */
static bool
add_label(struct arena *arena, const char *label, struct slice suffix,
    const char *scheme, const char *ending,
    struct match_observations *observations)
{
	const char *host = arena_printf(
	    arena, "%s.%.*s", label, (int)suffix.length, suffix.data);
	const char *address =
	    host == NULL ? NULL : arena_printf(arena, "%s@%s", label, host);

	return address != NULL &&
	       add(arena, observations, INDICATOR_DOMAIN, MATCH_HELO, host) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_FROM,
		   address) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_TO, address) &&
	       add(arena, observations, INDICATOR_ADDRESS, MATCH_REPLY_TO,
		   address) &&
	       add(arena, observations, INDICATOR_SUBJECT, MATCH_SUBJECT,
		   label) &&
	       add(arena, observations, INDICATOR_MAILER, MATCH_MAILER,
		   label) &&
	       add(arena, observations, INDICATOR_MESSAGE_ID, MATCH_MESSAGE_ID,
		   address) &&
	       add(arena, observations, INDICATOR_URL, MATCH_LINK,
		   arena_printf(arena, "%s://%s/%s", scheme, host, label)) &&
	       add(arena, observations, INDICATOR_FILENAME, MATCH_ATTACHMENT,
		   arena_printf(arena, "%s.%s", label, ending));
}

bool
broad_sample_soup(struct arena *arena, unsigned number,
    struct match_observations *observations)
{
	for (unsigned i = 0; i < SOUP_LABELS; i++)
		if (!add_label(arena, soups[number][i],
			slice_text(soup_suffixes[number]),
			number == 1 ? "http" : "https", soup_endings[number],
			observations))
			return false;
	return true;
}

bool
broad_sample_under_suffix(struct arena *arena, unsigned number,
    struct slice suffix, struct match_observations *observations)
{
	const char *label = number == 0 ? "kepp" : "wandelhof-47";
	const char *ending = soup_endings[number];

	return add_label(arena, label, suffix, "http", ending, observations) &&
	       add_label(arena, label, suffix, "https", ending, observations);
}

bool
broad_sample_inside(struct arena *arena, struct slice word,
    struct match_observations *observations)
{
	const char *label =
	    arena_printf(arena, "a-%.*s-b", (int)word.length, word.data);

	return label != NULL &&
	       add_label(arena, label, SLICE_LITERAL("example"), "https",
		   soup_endings[0], observations);
}

bool
broad_sample_in_octet(struct arena *arena, unsigned number, unsigned octet,
    struct match_observations *observations)
{
	const char *address = arena_printf(
	    arena, "%u.%s", octet, number == 0 ? "9.41.7" : "233.100.54");

	return add(arena, observations, INDICATOR_NETWORK, MATCH_CLIENT,
		   address) &&
	       add(arena, observations, INDICATOR_NETWORK, MATCH_LINK, address);
}
