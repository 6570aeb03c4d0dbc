#include <config.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

#include "base/builder.h"
#include "indicator/build.h"
#include "indicator/feed.h"
#include "indicator/feed_reader.h"
#include "indicator/json_split.h"

/* What a sink has been given, as lines "KIND VALUE". */
struct heard {
	struct builder items;
	struct builder rejected;
};

static enum feed_reason
hear_item(void *context, const struct feed_item *item)
{
	struct heard *heard = context;

	if (item->revoked) {
		builder_text(&heard->items, "revoked\n");
		return FEED_REVOKED;
	}
	builder_printf(&heard->items, "%s %.*s\n",
	    indicator_kind_name(item->kind), (int)item->value.length,
	    item->value.data);
	return FEED_USED;
}

static void
hear_rejected(void *context, enum feed_reason reason, struct slice what,
    const char *detail)
{
	struct heard *heard = context;

	(void)what;
	(void)detail;
	builder_printf(&heard->rejected, "%s\n", feed_reason_name(reason));
}

struct feed_case {
	const char *name;
	enum feed_format format; /* as configured */
	const char *content;
	enum feed_format found;
	const char *items;
	const char *rejected;
};

static const struct feed_case feed_cases[] = {
	{ "a mixed list with comments, ports and CRLF", FEED_FORMAT_AUTO,
	    "\xef\xbb\xbf# head\r\n; more\r\n\r\nevil.example\r\n"
	    "192.0.2.1:443\r\n[2001:db8::1]:80\r\n"
	    "203.0.113.0/24 ; SBL1\r\nhttp://a.example/x#y # why\r\n"
	    "/wp-content/x/\r\n  bad@a.example \r\n",
	    FEED_FORMAT_LIST,
	    "domain evil.example\nnetwork 192.0.2.1\nnetwork 2001:db8::1\n"
	    "network 203.0.113.0/24\nurl http://a.example/x#y\n"
	    "address bad@a.example\n",
	    "bad-value\n" },
	{ "a defanged list without refang", FEED_FORMAT_LIST,
	    "hxxp://evil[.]example/\nevil.example\n", FEED_FORMAT_LIST,
	    "domain evil.example\n", "defanged\n" },
	{ "a list with what people write around values", FEED_FORMAT_AUTO,
	    "[Adblock Plus 2.0]\n! Title: x\n||a.example^\n"
	    "||b.example/path^\n||c.example^$third-party\n@@||d.example^\n"
	    "*.e.example\n.f.example\n@g.example\nh.example // why\n"
	    "i.example\twhy\nhttps://j.example//x\n"
	    "Bad Guy <bad@k.example>\n"
	    "d41d8cd98f00b204e9800998ecf8427f  invoice.exe\n"
	    "MD5: d41d8cd98f00b204e9800998ecf8427e\n"
	    "md5:d41d8cd98f00b204e9800998ecf8427d\n"
	    "192.0.2.1-192.0.2.9\njust some words\n",
	    FEED_FORMAT_LIST,
	    "domain a.example\nurl b.example/path\ndomain *.e.example\n"
	    "domain .f.example\naddress @g.example\ndomain h.example\n"
	    "domain i.example\nurl https://j.example//x\n"
	    "address bad@k.example\n"
	    "md5 d41d8cd98f00b204e9800998ecf8427f\n"
	    "md5 d41d8cd98f00b204e9800998ecf8427e\n"
	    "md5 d41d8cd98f00b204e9800998ecf8427d\n",
	    "not-visible\nnot-visible\nbad-value\nbad-value\n" },
	{ "lines that end with a bare CR", FEED_FORMAT_AUTO,
	    "a.example\rb.example\r# c\rc.example", FEED_FORMAT_LIST,
	    "domain a.example\ndomain b.example\ndomain c.example\n", "" },
	{ "semicolons and a description with blanks", FEED_FORMAT_AUTO,
	    "value;type;description\na.example;Domain Name;\"two words; "
	    "\"\"three\"\"\nlines\"\nd41d8cd98f00b204e9800998ecf8427f;"
	    "MD5 Hash;a b\nd41d8cd98f00b204e9800998ecf8427e;"
	    "FileHash-IMPHASH;a b\n",
	    FEED_FORMAT_CSV,
	    "domain a.example\nmd5 d41d8cd98f00b204e9800998ecf8427f\n",
	    "not-visible\n" },
	{ "tabs", FEED_FORMAT_AUTO,
	    "indicator\ttype\ttags\na.example\tdomain\tx,y\n", FEED_FORMAT_CSV,
	    "domain a.example\n", "" },
	{ "bars", FEED_FORMAT_AUTO, "ioc|type\na.example|domain\n",
	    FEED_FORMAT_CSV, "domain a.example\n", "" },
	{ "a hosts file", FEED_FORMAT_AUTO,
	    "127.0.0.1 localhost\n0.0.0.0 0.0.0.0\n0.0.0.0 a.example b.example"
	    " # two\n0.0.0.0 c.example\n",
	    FEED_FORMAT_HOSTS,
	    "domain a.example\ndomain b.example\ndomain c.example\n", "" },
	{ "Loki's lists", FEED_FORMAT_LOKI,
	    "# FORMAT\nd41d8cd98f00b204e9800998ecf8427f;Tool; v2\n"
	    "\\\\invoice\\.exe;80\n\\\\temp\\\\[a-z]+\\.dll;70\nWCESERVICE\n",
	    FEED_FORMAT_LOKI,
	    "md5 d41d8cd98f00b204e9800998ecf8427f\nfilename invoice.exe\n",
	    "not-visible\nnot-visible\n" },
	{ "a header that is a comment (URLhaus)", FEED_FORMAT_URLHAUS,
	    "################\n# id,dateadded,url,url_status,last_online,"
	    "threat,tags,urlhaus_link,reporter\n"
	    "\"1\",\"2025-04-21 12:35:06\",\"http://a.example/x\",\"online\","
	    "\"2025-04-21 12:35:06\",\"malware\",\"elf,x\","
	    "\"https://urlhaus.example/1/\",\"me\"\n",
	    FEED_FORMAT_URLHAUS, "url http://a.example/x\n", "" },
	{ "no header at all, with a preset", FEED_FORMAT_URLHAUS,
	    "\"1\",\"2025-04-21 12:35:06\",\"http://a.example/x\",\"online\","
	    "\"2025-04-21 12:35:06\",\"malware\",\"elf,x\","
	    "\"https://urlhaus.example/1/\",\"me\"\n",
	    FEED_FORMAT_URLHAUS, "url http://a.example/x\n", "" },
	{ "ThreatFox: blanks before quotes, a count at the end",
	    FEED_FORMAT_THREATFOX,
	    "# \"first_seen_utc\",\"ioc_id\",\"ioc_value\",\"ioc_type\"\n"
	    "\"2026-01-01\", \"7\", \"192.0.2.9:8080\", \"ip:port\", \"c2\"\n"
	    "\"2026-01-01\", \"8\", \"a.example\", \"domain\", \"c2\"\n"
	    "# Number of entries: 2\n",
	    FEED_FORMAT_THREATFOX, "network 192.0.2.9\ndomain a.example\n",
	    "" },
	{ "Feodo: a header that is no comment", FEED_FORMAT_FEODO,
	    "# head\n\"first_seen_utc\",\"dst_ip\",\"dst_port\",\"c2_status\","
	    "\"last_online\",\"malware\"\n\"2024-04-04 07:03:03\","
	    "\"192.0.2.9\",\"5938\",\"offline\",\"2024-04-04\",\"Pikabot\"\n",
	    FEED_FORMAT_FEODO, "network 192.0.2.9\n", "" },
	{ "bazaar by its columns", FEED_FORMAT_BAZAAR,
	    "\"2026-01-01\", \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934"
	    "ca495991b7852b856\", \"d41d8cd98f00b204e9800998ecf8427f\", "
	    "\"da39a3ee5e6b4b0d3255bfef95601890afd80708\", \"r\"\n",
	    FEED_FORMAT_BAZAAR,
	    "sha256 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b78"
	    "52b856\nmd5 d41d8cd98f00b204e9800998ecf8427f\n"
	    "sha1 da39a3ee5e6b4b0d3255bfef95601890afd80708\n",
	    "" },
	{ "MISP's CSV with compound types", FEED_FORMAT_MISP_CSV,
	    "uuid,event_id,category,type,value,comment,to_ids,date\n"
	    "u1,1,x,filename|md5,\"a,b.exe|d41d8cd98f00b204e9800998ecf8427f\","
	    "\"say \"\"hi\"\"\",1,1700000000\n"
	    "u2,1,x,link,https://report.example/,,0,\n"
	    "u3,1,x,domain|ip,a.example|192.0.2.1,,1,\n",
	    FEED_FORMAT_MISP_CSV,
	    "md5 d41d8cd98f00b204e9800998ecf8427f\ndomain a.example\n",
	    "not-visible\n" },
	{ "semicolons without a header", FEED_FORMAT_AUTO,
	    "805fb9539c7398f8c249160e699d2050e4f08d6d;a@evil.example;"
	    "192.0.2.9\n\n;;\n805fb9539c7398f8c249160e699d2050e4f08d6e;"
	    "b@evil.example;192.0.2.8\n",
	    FEED_FORMAT_CSV,
	    "sha1 805fb9539c7398f8c249160e699d2050e4f08d6d\n"
	    "address a@evil.example\nnetwork 192.0.2.9\n"
	    "sha1 805fb9539c7398f8c249160e699d2050e4f08d6e\n"
	    "address b@evil.example\nnetwork 192.0.2.8\n",
	    "" },
	{ "several hashes in one cell, an unknown type", FEED_FORMAT_CSV,
	    "value,type,description\n"
	    "\"805fb9539c7398f8c249160e699d2050e4f08d6d,"
	    "d41d8cd98f00b204e9800998ecf8427f\",file,x\n",
	    FEED_FORMAT_CSV,
	    "sha1 805fb9539c7398f8c249160e699d2050e4f08d6d\n"
	    "md5 d41d8cd98f00b204e9800998ecf8427f\n",
	    "" },
	{ "a column that is named after a kind and holds words",
	    FEED_FORMAT_AUTO,
	    "Address,url\nevil.example, IOC FOUND\nb.example,http://c.example/\n"
	    ",IOC FOUND\n",
	    FEED_FORMAT_CSV,
	    "domain evil.example\ndomain b.example\nurl http://c.example/\n",
	    "bad-value\n" },
	{ "the host beside its URL, the host of another", FEED_FORMAT_CSV,
	    "url,domain,ip\nhttps://www.Site.example/a.php,site.example,"
	    "192.0.2.7\nhttp://b.example/,notb.example,\n,c.example,\n",
	    FEED_FORMAT_CSV,
	    "url https://www.Site.example/a.php\nnetwork 192.0.2.7\n"
	    "url http://b.example/\ndomain notb.example\n"
	    "domain c.example\n",
	    "not-indicator\n" },
	{ "a value in the column of another kind", FEED_FORMAT_CSV,
	    "app,domain\nx,192.0.2.7\nx,http://a.example/b\nx,a.example\n",
	    FEED_FORMAT_CSV,
	    "network 192.0.2.7\nurl http://a.example/b\ndomain a.example\n",
	    "" },
	{ "scores behind a semicolon in a list", FEED_FORMAT_LIST,
	    "192.0.2.1;65\nhttp://a.example/x;y=1\nnothing;65\n",
	    FEED_FORMAT_LIST, "network 192.0.2.1\nurl http://a.example/x;y=1\n",
	    "bad-value\n" },
	{ "two bundles in one file, with members behind the objects",
	    FEED_FORMAT_AUTO,
	    "{\"spec_version\":\"2.0\",\"objects\":[{\"type\":\"indicator\","
	    "\"id\":\"1\",\"pattern\":\"[url:value = 'http://a.example/']\"}],"
	    "\"more\":{\"objects\":7},\"id\":\"bundle--1\"}\n\n"
	    "{\"objects\": [ {\"type\":\"indicator\",\"id\":\"2\","
	    "\"pattern\":\"[url:value = 'http://b.example/']\"} ] }\n",
	    FEED_FORMAT_STIX, "url http://a.example/\nurl http://b.example/\n",
	    "" },
	{ "a quote that never closes", FEED_FORMAT_CSV,
	    "type,value\ndomain,\"a.example\ndomain,b.example\n",
	    FEED_FORMAT_CSV, "domain \"a.example\ndomain b.example\n", "" },
	{ "one bad object among good ones", FEED_FORMAT_STIX,
	    "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\","
	    "\"id\":\"1\",\"pattern\":\"[url:value = 'http://a.example/']\"},"
	    "{\"type\":\"indicator\" \"id\":},{\"type\":\"indicator\",\"id\":"
	    "\"2\",\"pattern\":\"[url:value = \"},{\"type\":\"indicator\","
	    "\"id\":\"3\",\"pattern\":\"[file:name='x.exe']\"},"
	    "{\"type\":\"indicator\",\"id\":\"4\",\"pattern_type\":\"snort\","
	    "\"pattern\":\"alert\"},{\"type\":\"indicator\",\"revoked\":true,"
	    "\"id\":\"5\"},{\"type\":\"malware\",\"id\":\"6\"}]}",
	    FEED_FORMAT_STIX,
	    "url http://a.example/\nfilename x.exe\nrevoked\n",
	    "bad-object\nbad-pattern\nunsupported-pattern\n" },
	{ "a bundle cut off", FEED_FORMAT_AUTO,
	    "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\","
	    "\"id\":\"1\",\"pattern\":\"[url:value = 'http://a.example/']\"},"
	    "{\"type\":\"indicator\",\"id\":\"2\",\"patt",
	    FEED_FORMAT_STIX, "url http://a.example/\n",
	    "bad-object\nbad-object\n" },
	{ "JSON lines with a broken line", FEED_FORMAT_AUTO,
	    "{\"type\":\"indicator\",\"id\":\"1\",\"pattern\":"
	    "\"[url:value = 'http://a.example/']\"}\n"
	    "{\"type\":\"indicator\",\"id\":[[\n"
	    "{\"type\":\"indicator\",\"id\":\"2\",\"pattern\":"
	    "\"[url:value = 'http://b.example/']\"}\n",
	    FEED_FORMAT_STIX, "url http://a.example/\nurl http://b.example/\n",
	    "bad-object\n" },
	{ "a TAXII envelope inside a server's dump", FEED_FORMAT_STIX,
	    "{\"root\":{\"collections\":[{\"id\":\"x\",\"objects\":["
	    "{\"type\":\"indicator\",\"id\":\"1\",\"pattern\":"
	    "\"[ipv4-addr:value = '203.0.113.9']\"}]}]}}",
	    FEED_FORMAT_STIX, "network 203.0.113.9\n", "" },
	{ "an event in a response, with an object", FEED_FORMAT_AUTO,
	    "{\"response\":[{\"Event\":{\"uuid\":\"u\",\"info\":\"i\","
	    "\"Attribute\":[{\"type\":\"email-src\",\"value\":"
	    "\"bad@a.example\",\"to_ids\":true},{\"type\":\"malware-sample\","
	    "\"value\":\"x.exe|d41d8cd98f00b204e9800998ecf8427f\",\"data\":"
	    "\"UEsDBA==\"},{\"type\":\"btc\",\"value\":\"1x\"},{\"type\":"
	    "\"url\"},7,{\"type\":\"url\",\"value\":\"http://a.example\","
	    "\"deleted\":true}],\"Object\":[{\"Attribute\":[{\"type\":"
	    "\"ip-dst|port\",\"value\":\"192.0.2.1|80\"}]}]}}]}",
	    FEED_FORMAT_MISP,
	    "address bad@a.example\nmd5 d41d8cd98f00b204e9800998ecf8427f\n"
	    "revoked\nnetwork 192.0.2.1\n",
	    "not-visible\nbad-object\nbad-object\n" },
	{ "a bare event and a list of events", FEED_FORMAT_MISP,
	    "[{\"uuid\":\"u\",\"info\":\"i\",\"Attribute\":[{\"type\":"
	    "\"domain\",\"value\":\"\\u0061.example\"}]},{\"Event\":{"
	    "\"Attribute\":[{\"type\":\"domain\",\"value\":\"b.example\"}]}}]",
	    FEED_FORMAT_MISP, "domain a.example\ndomain b.example\n", "" },
};

#define SHA256_TEXT                        \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"
#define SHA1_TEXT "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbc"
#define MD5_TEXT  "cccccccccccccccccccccccccccccccd"

/* What products export, and lists that are written for other programs. */
static const struct feed_case export_cases[] = {
	{ "OTX", FEED_FORMAT_AUTO,
	    "Indicator type,Indicator,Description\nIPv4,203.0.113.9,\n"
	    "hostname,www.a.example,\nFileHash-SHA256," SHA256_TEXT ",\n"
	    "FileHash-IMPHASH," MD5_TEXT ",\nCVE,CVE-2026-1,\nURI,/x.php,\n",
	    FEED_FORMAT_CSV,
	    "network 203.0.113.9\ndomain www.a.example\nsha256 " SHA256_TEXT
	    "\n",
	    "not-visible\nnot-visible\nnot-visible\n" },
	{ "OpenCTI's indicators, whose values are patterns", FEED_FORMAT_AUTO,
	    "\"id\";\"entity_type\";\"name\";\"pattern\";\"pattern_type\"\n"
	    "\"i1\";\"Indicator\";\"x\";\"[domain-name:value = "
	    "'a.example']\";\"stix\"\n\"i2\";\"Indicator\";\"x\";\"rule x "
	    "{}\";\"yara\"\n",
	    FEED_FORMAT_CSV, "domain a.example\n", "unsupported-pattern\n" },
	{ "OpenCTI's observables", FEED_FORMAT_AUTO,
	    "\"id\",\"entity_type\",\"observable_value\"\n"
	    "\"1\",\"Domain-Name\",\"a.example\"\n"
	    "\"2\",\"StixFile\",\"" SHA1_TEXT "\"\n"
	    "\"3\",\"Text\",\"b.example\"\n",
	    FEED_FORMAT_CSV, "domain a.example\nsha1 " SHA1_TEXT "\n",
	    "not-visible\n" },
	{ "Defender, whose thumbprints are no files", FEED_FORMAT_AUTO,
	    "IndicatorType,IndicatorValue,ExpirationTime,Severity\n"
	    "FileSha1," SHA1_TEXT ",2030-01-01,High\n"
	    "CertificateThumbprint," SHA1_TEXT ",2030-01-01,High\n"
	    "DomainName,a.example,2030-01-01,Low\n",
	    FEED_FORMAT_CSV, "sha1 " SHA1_TEXT "\ndomain a.example\n",
	    "not-visible\n" },
	{ "Sentinel", FEED_FORMAT_AUTO,
	    "Pattern,DomainName,FileHashType,FileHashValue,"
	    "EmailSenderAddress\n\"[domain-name:value = 'a.example']\","
	    "a.example,,,\n,,,,bad@a.example\n",
	    FEED_FORMAT_CSV, "domain a.example\naddress bad@a.example\n", "" },
	{ "Anomali", FEED_FORMAT_AUTO,
	    "id,value,itype,confidence\n1,a.example,mal_domain,80\n"
	    "2,203.0.113.9,c2_ip,80\n3," MD5_TEXT ",mal_md5,80\n"
	    "4,bad@a.example,phish_email,80\n",
	    FEED_FORMAT_CSV,
	    "domain a.example\nnetwork 203.0.113.9\nmd5 " MD5_TEXT
	    "\naddress bad@a.example\n",
	    "" },
	{ "TheHive, where a column named ioc says yes or no", FEED_FORMAT_AUTO,
	    "dataType,data,ioc\nfqdn,www.a.example,true\n"
	    "hash," SHA256_TEXT ",true\nmail_subject,Pay now,false\n"
	    "registry,HKLM,true\n",
	    FEED_FORMAT_CSV,
	    "domain www.a.example\nsha256 " SHA256_TEXT "\nsubject Pay now\n",
	    "not-visible\n" },
	{ "a spreadsheet's delimiter, and Windows-1252", FEED_FORMAT_AUTO,
	    "sep=;\r\nIndicator;Type\r\na.example;Domain\r\n"
	    "Ihre M\xfcnze \x80;email-subject\r\n",
	    FEED_FORMAT_CSV,
	    "domain a.example\nsubject Ihre M\xc3\xbcnze \xe2\x82\xac\n", "" },
	{ "no-break spaces around a value", FEED_FORMAT_AUTO,
	    "indicator,type\n\xc2\xa0"
	    "a.example\xc2\xa0,domain\n",
	    FEED_FORMAT_CSV, "domain a.example\n", "" },
	{ "Zeek", FEED_FORMAT_AUTO,
	    "#fields\tindicator\tindicator_type\tmeta.source\n"
	    "a.example\tIntel::DOMAIN\tx\n203.0.113.9\tIntel::ADDR\tx\n" SHA1_TEXT
	    "\tIntel::CERT_HASH\tx\n",
	    FEED_FORMAT_CSV, "domain a.example\nnetwork 203.0.113.9\n",
	    "not-visible\n" },
	{ "words that are none: by looks, but no hashes", FEED_FORMAT_AUTO,
	    "type,value\nGizmo,a.example\nGizmo," MD5_TEXT
	    "\nGadget,some words\n",
	    FEED_FORMAT_CSV, "domain a.example\n",
	    "not-visible\nnot-visible\n" },
	{ "AdGuard", FEED_FORMAT_AUTO,
	    "! head\n||a.example^\n||b.example^$important\n"
	    "||c.example^$third-party\n@@||d.example^\n"
	    "|https://e.example/x|\n||*.f.example^\ng.example##.ad\n"
	    "/banner[0-9]+/\n127.0.0.1 h.example\n",
	    FEED_FORMAT_LIST,
	    "domain a.example\ndomain b.example\nurl https://e.example/x\n"
	    "domain f.example\ndomain h.example\n",
	    "not-visible\nnot-visible\nnot-visible\nnot-visible\n" },
	{ "dnsmasq", FEED_FORMAT_AUTO,
	    "# head\naddress=/a.example/0.0.0.0\naddress=/b.example/"
	    ".c.example/\nserver=/d.example/\nserver=/e.example/192.0.2.1\n"
	    "local=/f.example/\n",
	    FEED_FORMAT_LIST,
	    "domain a.example\ndomain b.example\ndomain c.example\n"
	    "domain d.example\ndomain f.example\n",
	    "not-visible\n" },
	{ "unbound", FEED_FORMAT_AUTO,
	    "server:\nlocal-zone: \"a.example\" always_nxdomain\n"
	    "local-zone: \"b.example.\" transparent\n"
	    "local-data: \"c.example A 0.0.0.0\"\n",
	    FEED_FORMAT_LIST, "domain a.example\ndomain c.example\n",
	    "not-visible\n" },
	{ "a response policy zone", FEED_FORMAT_AUTO,
	    "$TTL 300\n$ORIGIN rpz.test.\n@ SOA localhost. root.localhost. (\n"
	    " 1 ; serial\n 3600 600\n 86400 300 )\n  NS localhost.\n"
	    "a.example CNAME .\n*.b.example.rpz.test. 60 IN CNAME rpz-drop.\n"
	    "c.example IN CNAME rpz-passthru.\n"
	    "32.9.113.0.203.rpz-ip CNAME .\n24.0.113.0.203.rpz-client-ip "
	    "CNAME .\n",
	    FEED_FORMAT_LIST,
	    "domain a.example\ndomain b.example\nnetwork 203.0.113.9/32\n",
	    "not-visible\nnot-visible\n" },
	{ "Spamhaus, an object a line", FEED_FORMAT_AUTO,
	    "{\"cidr\":\"203.0.113.0/24\",\"sblid\":\"SBL1\"}\n"
	    "{\"type\":\"metadata\",\"records\":1}\n",
	    FEED_FORMAT_JSON, "network 203.0.113.0/24\n", "" },
	{ "ThreatFox as JSON", FEED_FORMAT_THREATFOX,
	    "{\"1\":[{\"ioc_value\":\"203.0.113.9:443\",\"ioc_type\":"
	    "\"ip:port\",\"confidence_level\":75,\"tags\":\"a,b\","
	    "\"reference\":\"https://x.example/\"}],\n\"2\":[{\"ioc_value\":"
	    "\"a.example\",\"ioc_type\":\"domain\"}]}",
	    FEED_FORMAT_JSON, "network 203.0.113.9\ndomain a.example\n", "" },
	{ "an answer of URLhaus, without its references", FEED_FORMAT_AUTO,
	    "{\"query_status\":\"ok\",\"urls\":[{\"id\":\"1\",\"url\":"
	    "\"http://a.example/x\",\"references\":[{\"url\":"
	    "\"http://b.example/\"}],\"urlhaus_reference\":"
	    "\"https://c.example/\"}],\"references\":[\"http://d.example/\"]}",
	    FEED_FORMAT_JSON, "url http://a.example/x\n", "" },
	{ "bare texts, and a file that ends in the middle", FEED_FORMAT_AUTO,
	    "[\"a.example\",7,\"203.0.113.9\",\"b.exa", FEED_FORMAT_JSON,
	    "domain a.example\nnetwork 203.0.113.9\n",
	    "bad-object\nbad-object\nbad-object\n" },
};

static void check_cases(const struct feed_case *cases, size_t count);

static void
exports_and_lists_of_other_programs_are_read(void **state)
{
	(void)state;
	check_cases(export_cases, sizeof export_cases / sizeof *export_cases);
}

static void
every_form_is_read_with_its_traps(void **state)
{
	(void)state;
	check_cases(feed_cases, sizeof feed_cases / sizeof *feed_cases);
}

static void
check_cases(const struct feed_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct feed_case *test = &cases[i];
		struct feed_config config = feed_config_defaults("f", "f");
		struct feed_limits limits = feed_limits_defaults();
		struct arena *arena = arena_new(0, NULL);
		struct heard heard = { builder_make(arena, SIZE_MAX),
			builder_make(arena, SIZE_MAX) };
		struct feed_sink sink = { &heard, hear_item, hear_rejected };
		struct feed_report report;

		config.format = test->format;
		limits.line_bytes_max = 1000;
		assert_int_equal(feed_read_bytes(arena, &config, &limits,
				     text(test->content), &sink, &report),
		    TC_OK);
		if (report.format != test->found)
			fail_msg("%s: taken for %s", test->name,
			    feed_format_name(report.format));
		if (!slice_equal_text(
			builder_result(&heard.items), test->items))
			fail_msg("%s: gives\n%s", test->name,
			    builder_c_string(&heard.items));
		if (!slice_equal_text(
			builder_result(&heard.rejected), test->rejected))
			fail_msg("%s: rejects\n%s", test->name,
			    builder_c_string(&heard.rejected));
		arena_free(&arena);
	}
}

static enum tc_status
read_text(struct arena *arena, struct feed_config *config, struct slice content,
    struct heard *heard, struct feed_report *report)
{
	struct feed_limits limits = feed_limits_defaults();
	struct feed_sink sink = { heard, hear_item, hear_rejected };

	heard->items = builder_make(arena, SIZE_MAX);
	heard->rejected = builder_make(arena, SIZE_MAX);
	return feed_read_bytes(arena, config, &limits, content, &sink, report);
}

static void
forms_that_we_do_not_read_say_what_to_do(void **state)
{
	static const struct {
		const char *content, *remedy;
	} cases[] = {
		{ "<?xml version='1.0'?><ioc xmlns='http://schemas.mandiant.com/"
		  "2010/ioc'/>",
		    "OpenIOC" },
		{ "<stix:STIX_Package xmlns:stix='http://stix.mitre.org/"
		  "stix-1'/>",
		    "stix2-elevator" },
		{ "<html>404</html>", "HTML" },
		{ "\x1f\x8b\x08", "unpack" },
		{ "{\"a\":1}", "columns { value" },
		{ "BZh91AY", "bzip2" },
		{ "PK\x03\x04", "save the sheet as CSV" },
		{ "%PDF-1.7", "PDF" },
		{ "# head\nalert dns any any -> any any (msg:\"x\"; "
		  "dns.query; content:\"a.example\"; sid:1;)\n",
		    "Suricata" },
		{ "title: x\nlogsource:\n  category: dns\ndetection:\n",
		    "Sigma" },
		{ "# abuse.ch SSLBL SSL Certificate Blacklist (SHA1)\n"
		  "2026-01-01,d41d8cd98f00b204e9800998ecf8427ed41d8cd9,C2\n",
		    "fingerprints of certificates" },
		{ "{\"asn\":1,\"rir\":\"x\",\"domain\":\"a.example\","
		  "\"asname\":\"x\"}\n",
		    "autonomous systems" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct feed_config config = feed_config_defaults("f", "f");
		struct arena *arena = arena_new(0, NULL);
		struct feed_report report;
		struct heard heard;

		assert_int_equal(read_text(arena, &config,
				     text(cases[i].content), &heard, &report),
		    TC_INVALID);
		assert_non_null(report.problem);
		assert_non_null(strstr(report.problem, cases[i].remedy));
		arena_free(&arena);
	}
}

static void
columns_are_mapped_by_name_and_number(void **state)
{
	struct feed_column columns[3] = { { .name = "IOC" }, { .number = 3 },
		{ .name = "hash" } };
	struct feed_config config = feed_config_defaults("f", "f");
	struct arena *arena = arena_new(0, NULL);
	struct feed_report report;
	struct heard heard;

	(void)state;
	assert_true(feed_column_parse(text("value"), &columns[0]));
	assert_true(feed_column_parse(text("type"), &columns[1]));
	assert_true(feed_column_parse(text("md5"), &columns[2]));
	assert_false(feed_column_parse(text("colour"), &columns[2]));
	config.format = FEED_FORMAT_CSV;
	config.columns = columns;
	config.column_count = 3;
	config.comment = '%';
	config.delimiter = '|';
	assert_int_equal(
	    read_text(arena, &config,
		text("% why\nwho|ioc|what|hash\nx|hxxp://a[.]example/|url|\n"
		     "x|b.example|hostname|d41d8cd98f00b204e9800998ecf8427f\n"),
		&heard, &report),
	    TC_OK);
	assert_slice(builder_result(&heard.items),
	    "domain b.example\nmd5 d41d8cd98f00b204e9800998ecf8427f\n");
	config.refang = true;
	assert_int_equal(
	    read_text(arena, &config,
		text("who|ioc|what|hash\nx|hxxp://a[.]example/|url|\n"), &heard,
		&report),
	    TC_OK);
	assert_slice(builder_result(&heard.items), "url http://a.example/\n");
	columns[0].name = "nowhere";
	assert_int_equal(read_text(arena, &config, text("who|ioc|what|hash\n"),
			     &heard, &report),
	    TC_INVALID);
	assert_non_null(strstr(report.problem, "nowhere"));
	arena_free(&arena);
}

static enum feed_reason
hear_confidence(void *context, const struct feed_item *item)
{
	*(unsigned *)context = item->confidence;
	return FEED_USED;
}

static void
a_confidence_is_read_however_it_is_written(void **state)
{
	static const struct {
		const char *written;
		unsigned confidence;
	} cases[] = {
		{ "80", 80 },
		{ "80%", 80 },
		{ "80 %", 80 },
		{ "\"75,5\"", 75 },
		{ "75.5", 75 },
		{ "0.8", 80 },
		{ "0.0", 0 },
		{ "1.0", 100 },
		{ "1", 1 },
		{ "100.0", 100 },
		{ "High", 85 },
		{ "low", 15 },
		{ "101", INDICATOR_CONFIDENCE_ABSENT },
		{ "sure", INDICATOR_CONFIDENCE_ABSENT },
		{ "", INDICATOR_CONFIDENCE_ABSENT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct feed_config config = feed_config_defaults("f", "f");
		struct feed_limits limits = feed_limits_defaults();
		unsigned heard = 1000;
		struct feed_sink sink = { &heard, hear_confidence, NULL };
		struct feed_report report;
		char *content = arena_printf(arena,
		    "value,confidence,type\na.example,%s,domain\n",
		    cases[i].written);

		assert_int_equal(feed_read_bytes(arena, &config, &limits,
				     text(content), &sink, &report),
		    TC_OK);
		if (heard != cases[i].confidence)
			fail_msg("%s is %u", cases[i].written, heard);
		arena_free(&arena);
	}
}

static void
dates_of_five_styles_are_one_time(void **state)
{
	static const struct {
		const char *text;
		int64_t time;
	} cases[] = {
		{ "2024-04-04T07:03:03Z", 1712214183 },
		{ "2024-04-04T09:03:03.123+02:00", 1712214183 },
		{ "2024-04-04 07:03:03", 1712214183 },
		{ "2024-04-04 07:03:03 UTC", 1712214183 },
		{ "2024/04/04 07:03", 1712214180 },
		{ "2024-04-04", 1712188800 },
		{ "04.04.2024", 1712188800 },
		{ "4.4.2024", 1712188800 },
		{ "31/12/2024", 1735603200 },
		{ "12/31/2024", 1735603200 },
		{ "1712214183", 1712214183 },
		{ "1712214183000", 1712214183 },
		{ "2024-13-04", 0 },
		{ "soon", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (feed_reader_time(text(cases[i].text)) != cases[i].time)
			fail_msg("%s is %lld", cases[i].text,
			    (long long)feed_reader_time(text(cases[i].text)));
}

static void
hostile_sizes_cost_themselves(void **state)
{
	struct feed_config config = feed_config_defaults("f", "f");
	struct arena *arena = arena_new(0, NULL);
	struct builder content = builder_make(arena, SIZE_MAX);
	struct feed_report report;
	struct heard heard;

	(void)state;
	/* A line of a megabyte. */
	config.format = FEED_FORMAT_LIST;
	for (unsigned i = 0; i < 1000000; i++)
		builder_byte(&content, 'x');
	builder_text(&content, "\na.example\n");
	assert_int_equal(read_text(arena, &config, builder_result(&content),
			     &heard, &report),
	    TC_OK);
	assert_slice(builder_result(&heard.items), "domain a.example\n");
	assert_int_equal(report.reasons[FEED_BAD_OBJECT], 1);
	/* A million blank rows. */
	content.length = 0;
	config.format = FEED_FORMAT_CSV;
	builder_text(&content, "type,value\n");
	for (unsigned i = 0; i < 1000000; i++)
		builder_text(&content, ",\n");
	builder_text(&content, "domain,a.example\n");
	assert_int_equal(read_text(arena, &config, builder_result(&content),
			     &heard, &report),
	    TC_OK);
	assert_int_equal(report.read, 1);
	/* An object 100,000 brackets deep, and brackets that never close. */
	for (unsigned close = 0; close < 2; close++) {
		content.length = 0;
		config.format = FEED_FORMAT_STIX;
		builder_text(&content, "{\"objects\":[{\"type\":\"indicator\","
				       "\"x\":");
		for (unsigned i = 0; i < 100000; i++)
			builder_byte(&content, '[');
		for (unsigned i = 0; close == 1 && i < 100000; i++)
			builder_byte(&content, ']');
		if (close == 1)
			builder_text(&content,
			    "},{\"type\":\"indicator\",\"id\":\"1\",\"pattern\""
			    ":\"[domain-name:value = 'a.example']\"}]}");
		read_text(
		    arena, &config, builder_result(&content), &heard, &report);
		assert_slice(builder_result(&heard.items),
		    close == 1 ? "domain a.example\n" : "");
		assert_true(report.reasons[FEED_BAD_OBJECT] >= 1);
	}
	arena_free(&arena);
}

static void
a_folder_survives_a_bad_file(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	char folder[] = "feed-XXXXXX", path[64];
	struct feed_limits limits = feed_limits_defaults();
	struct heard heard = { builder_make(arena, SIZE_MAX),
		builder_make(arena, SIZE_MAX) };
	struct feed_sink sink = { &heard, hear_item, hear_rejected };
	struct feed_config config;
	struct feed_report report;
	static const char *const names[] = { "1.json", "2.json", "3.json",
		"manifest.json" };
	static const char *const contents[] = {
		"{\"Event\":{\"Attribute\":[{\"type\":\"domain\",\"value\":"
		"\"a.example\"}]}}",
		"<html>",
		"{\"Event\":{\"Attribute\":[{\"type\":\"domain\","
		"\"value\":\"b.example\"}]}}",
		"{\"1\":{\"info\":\"x\"}}"
	};

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (size_t i = 0; i < 4; i++) {
		FILE *file;

		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		file = fopen(path, "w");
		assert_non_null(file);
		fputs(contents[i], file);
		fclose(file);
	}
	config = feed_config_defaults("f", folder);
	assert_int_equal(
	    feed_read(arena, &config, &limits, &sink, &report), TC_OK);
	assert_slice(builder_result(&heard.items),
	    "domain a.example\ndomain b.example\n");
	assert_int_equal(report.files, 3);
	assert_int_equal(report.files_failed, 1);
	assert_non_null(strstr(report.problem, "2.json"));
	config.size_bytes_max = 10;
	assert_int_equal(
	    feed_read(arena, &config, &limits, &sink, &report), TC_INVALID);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
	config.size_bytes_max = 0;
	assert_int_equal(
	    feed_read(arena, &config, &limits, &sink, &report), TC_SYSTEM);
	arena_free(&arena);
}

/* --------------------------------------------------------------- real feeds */

static const char *
shared_folder(void)
{
	static char path[4096];
	const char *set = getenv("TOCSIN_SHARED"), *top = getenv("srcdir");

	if (set != NULL)
		snprintf(path, sizeof path, "%s/data/indicators", set);
	else
		snprintf(path, sizeof path, "%s/../shared/data/indicators",
		    top == NULL ? "." : top);
	return access(path, R_OK) == 0 ? path : NULL;
}

static unsigned
read_tree(const char *folder, unsigned depth)
{
	DIR *open = opendir(folder);
	struct dirent *entry;
	unsigned files = 0;

	while (open != NULL && (entry = readdir(open)) != NULL) {
		struct feed_config config;
		struct build_request request = { .limits =
						     build_limits_defaults() };
		struct build_explanation explanation;
		struct arena *arena;
		struct stat info;
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		if (entry->d_name[0] == '.' || stat(path, &info) != 0)
			continue;
		if (S_ISDIR(info.st_mode)) {
			files += depth > 4 ? 0 : read_tree(path, depth + 1);
			continue;
		}
		arena = arena_new(0, NULL);
		config = feed_config_defaults("shared", path);
		/* Each is read, or refused with a reason. */
		if (build_explain(arena, &request, &config, 2, &explanation) !=
		    TC_OK)
			assert_non_null(explanation.report.problem);
		arena_free(&arena);
		files++;
	}
	if (open != NULL)
		closedir(open);
	return files;
}

static void
every_real_feed_is_read_or_refused_with_a_reason(void **state)
{
	const char *folder = shared_folder();

	(void)state;
	if (folder == NULL) {
		print_message("the shared feeds are not at hand: set "
			      "TOCSIN_SHARED\n");
		skip();
	}
	assert_true(read_tree(folder, 0) > 50);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_form_is_read_with_its_traps),
	cmocka_unit_test(exports_and_lists_of_other_programs_are_read),
	cmocka_unit_test(forms_that_we_do_not_read_say_what_to_do),
	cmocka_unit_test(columns_are_mapped_by_name_and_number),
	cmocka_unit_test(dates_of_five_styles_are_one_time),
	cmocka_unit_test(a_confidence_is_read_however_it_is_written),
	cmocka_unit_test(hostile_sizes_cost_themselves),
	cmocka_unit_test(a_folder_survives_a_bad_file),
	cmocka_unit_test(every_real_feed_is_read_or_refused_with_a_reason),
};

UNIT_MAIN(tests)
