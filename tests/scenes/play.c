/*
 * play - plays scenes: a policy, a zone, feeds and a milter dialogue in one
 *        file, with what must come of it
 *
 * usage: play [-v] [SCENE...]
 *
 * Each scene is played in this process through session/flow.h, as callbacks.c
 * would play it. Output is TAP, one test per scene. tests/scenes/README tells
 * how a scene is written.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/builder.h"
#include "base/list.h"
#include "base/log.h"
#include "daemon/feeds.h"
#include "dns/resolver_zone.h"
#include "indicator/match.h"
#include "indicator/overlay.h"
#include "language/load.h"
#include "message/charset.h"
#include "outcome/alert.h"
#include "outcome/journal.h"
#include "session/flow.h"

/* Settings that every scene begins with, unless it brings a tocsin.conf. */
static const char preamble[] = "state-directory \"state\"\n"
			       "authserv-id \"mx.interieur.example\"\n"
			       "own-domains { \"interieur.example\" }\n"
			       "own-networks { 10.0.0.0/8 }\n"
			       "trusted-relays { 127.0.0.0/8, 198.51.100.8 }\n";

struct edit {
	const char *what; /* "insert", "add", "change", "delete", ... */
	unsigned index;
	struct slice name;
	struct slice value;
};

struct scene {
	struct arena *arena;
	char folder[64];
	struct program *program;
	struct resolver *resolver;
	struct store *store;
	struct overlay *overlay;
	struct matcher *matcher;
	struct limits limits;
	struct journal *journal;
	struct alerts *alerts;
	struct session_shared shared;
	struct session_basis basis;
	struct session *session;
	struct apply_reply reply;
	LIST_OF(struct edit) edits;
	struct builder log;
	struct builder problems;
};

static bool verbose;

static void
complain(struct scene *scene, const char *what, const char *detail)
{
	builder_printf(&scene->problems, "%s%s%s\n", what,
	    detail[0] == '\0' ? "" : ": ", detail);
}

/* ---- files */

static bool
write_file(struct scene *scene, struct slice name, struct slice text)
{
	char *path = arena_printf(scene->arena, "%s/%.*s", scene->folder,
	    (int)name.length, name.data);
	FILE *file = fopen(path, "w");

	if (file == NULL) {
		complain(scene, "can't write", path);
		return false;
	}
	fwrite(text.data, 1, text.length, file);
	return fclose(file) == 0;
}

static struct slice
read_file(struct arena *arena, const char *path)
{
	struct builder text = builder_make(arena, (size_t)64 << 20);
	FILE *file = fopen(path, "r");
	char chunk[4096];
	size_t count;

	if (file == NULL)
		return slice_make(NULL, 0);
	while ((count = fread(chunk, 1, sizeof chunk, file)) > 0)
		builder_slice(&text, slice_make(chunk, count));
	fclose(file);
	return slice_text(builder_c_string(&text));
}

static void
remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		char inner[4096];

		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(inner, sizeof inner, "%s/%s", path, entry->d_name);
		if (unlink(inner) != 0)
			remove_folder(inner);
	}
	closedir(folder);
	rmdir(path);
}

/* ---- what the MTA is asked for */

static bool
note_edit(void *context, const char *what, unsigned index, const char *name,
    const char *value)
{
	struct scene *scene = context;
	struct edit *edit = list_append(scene->arena, &scene->edits, 100000);

	if (edit == NULL)
		return false;
	edit->what = what;
	edit->index = index;
	edit->name = arena_copy(scene->arena, slice_text(name));
	edit->value = arena_copy(scene->arena, slice_text(value));
	return true;
}

static bool
insert_header(
    void *context, unsigned index, const char *name, const char *value)
{
	return note_edit(context, "insert", index, name, value);
}

static bool
add_header(void *context, const char *name, const char *value)
{
	return note_edit(context, "add", 0, name, value);
}

static bool
change_header(
    void *context, const char *name, unsigned index, const char *value)
{
	return note_edit(context, "change", index, name, value);
}

static bool
delete_header(void *context, const char *name, unsigned index)
{
	return note_edit(context, "delete", index, name, "");
}

static bool
add_recipient(void *context, const char *address)
{
	return note_edit(context, "recipient", 0, address, "");
}

static bool
quarantine(void *context, const char *reason)
{
	return note_edit(context, "quarantine", 0, "", reason);
}

/* ---- patterns */

/* True when the pieces of `pattern` between its stars stand in `text`, in
 * order. */
static bool
holds(struct slice text, struct slice pattern)
{
	while (pattern.length > 0) {
		struct slice piece;
		size_t at;

		pattern = slice_split(pattern, '*', &piece);
		at = slice_find(text, piece);
		if (at == SIZE_MAX)
			return false;
		text = slice_skip(text, at + piece.length);
	}
	return true;
}

static struct slice
next_word(struct slice *rest)
{
	struct slice word;

	*rest = slice_trim(*rest);
	*rest = slice_trim(slice_split(*rest, ' ', &word));
	return word;
}

static struct slice
records(struct scene *scene)
{
	char *path =
	    arena_printf(scene->arena, "%s/state/evidence", scene->folder);
	struct builder all = builder_make(scene->arena, SIZE_MAX);
	DIR *folder = opendir(path);
	struct dirent *entry;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		if (entry->d_name[0] != '.')
			builder_slice(
			    &all, read_file(scene->arena,
				      arena_printf(scene->arena, "%s/%s", path,
					  entry->d_name)));
	if (folder != NULL)
		closedir(folder);
	return builder_result(&all);
}

/* ---- expectations */

static bool
has_edit(struct scene *scene, const char *what, struct slice rest)
{
	struct slice name = slice_make(NULL, 0);
	unsigned long index = 0;
	bool indexed = false;

	if (strcmp(what, "quarantine") != 0)
		name = next_word(&rest);
	if (strcmp(what, "delete") == 0)
		indexed = slice_parse_number(next_word(&rest), 1000000, &index);
	for (size_t i = 0; i < scene->edits.count; i++) {
		const struct edit *edit = &scene->edits.items[i];

		if (strcmp(edit->what, what) == 0 &&
		    (strcmp(what, "quarantine") == 0 ||
			slice_equal_fold(edit->name, name)) &&
		    (!indexed || edit->index == index) &&
		    holds(edit->value, rest))
			return true;
	}
	return false;
}

/* "order": edits of one kind come in this order, given as NAME/INDEX. */
static bool
has_order(struct scene *scene, struct slice rest)
{
	struct slice word = next_word(&rest);

	for (size_t i = 0; i < scene->edits.count && word.length > 0; i++) {
		const struct edit *edit = &scene->edits.items[i];
		char text[256];

		snprintf(text, sizeof text, "%s:%.*s/%u", edit->what,
		    (int)edit->name.length, edit->name.data, edit->index);
		if (slice_equal_text_fold(word, text))
			word = next_word(&rest);
	}
	return word.length == 0;
}

static bool
is_met(struct scene *scene, struct slice kind, struct slice rest)
{
	static const char *const edits[] = { "insert", "add", "change",
		"delete", "recipient", "quarantine" };
	static const char *const answers[] = { [APPLY_CONTINUE] = "continue",
		[APPLY_REJECT] = "reject",
		[APPLY_DEFER] = "defer",
		[APPLY_DISCARD] = "discard" };
	char reply[APPLY_REPLY_TEXT_MAX + 32];

	for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++)
		if (slice_equal_text(kind, edits[i]))
			return has_edit(scene, edits[i], rest);
	snprintf(reply, sizeof reply, "%s %s %s", scene->reply.code,
	    scene->reply.enhanced, scene->reply.text);
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++)
		if (slice_equal_text(kind, answers[i]))
			return scene->reply.answer == (enum apply_answer)i &&
			       holds(slice_text(reply), rest);
	if (slice_equal_text(kind, "order"))
		return has_order(scene, rest);
	if (slice_equal_text(kind, "log"))
		return holds(builder_result(&scene->log), rest);
	if (slice_equal_text(kind, "record"))
		return holds(records(scene), rest);
	complain(scene, "no such expectatio", "");
	return false;
}

static void
show_state(struct scene *scene)
{
	struct builder *out = &scene->problems;

	builder_printf(out, "reply: %s %s %s (%d)\n", scene->reply.code,
	    scene->reply.enhanced, scene->reply.text, (int)scene->reply.answer);
	for (size_t i = 0; i < scene->edits.count; i++) {
		const struct edit *edit = &scene->edits.items[i];

		builder_printf(out, "edit: %s %u %.*s:%.*s\n", edit->what,
		    edit->index, (int)edit->name.length, edit->name.data,
		    (int)edit->value.length, edit->value.data);
	}
	builder_text(out, "log: ");
	builder_slice(out, builder_result(&scene->log));
}

static void
expect(struct scene *scene, struct slice line)
{
	struct slice rest = line;
	struct slice kind = next_word(&rest);
	bool wanted = true;

	if (slice_equal_text(kind, "no")) {
		wanted = false;
		kind = next_word(&rest);
	}
	if (is_met(scene, kind, rest) == wanted)
		return;
	complain(scene, "not met: expect", arena_text(scene->arena, line));
	show_state(scene);
}

/* ---- the dialogue */

static void
wait_for(struct scene *scene)
{
	session_wait(scene->session, 50);
}

static void
do_connect(struct scene *scene, struct slice rest)
{
	struct slice ip = next_word(&rest);
	struct flow_peer peer = { .port = 40000 };

	if (slice_equal_text(ip, "unix"))
		peer.is_local = true;
	else if (!slice_equal_text(ip, "unknown"))
		peer.has_ip = ipaddr_parse(ip, &peer.ip);
	peer.name = arena_text(scene->arena, rest);
	if (scene->session != NULL)
		session_free(&scene->session);
	scene->session = session_new(&scene->shared, &scene->basis);
	if (scene->session == NULL) {
		complain(scene, "no sessio", "");
		return;
	}
	session_macro(scene->session, "j", "mx.interieur.example");
	while (flow_connect(scene->session, &peer, &scene->reply) == TC_AGAIN)
		wait_for(scene);
}

static void
take_header(struct scene *scene, struct slice field)
{
	struct slice name, value;

	value = slice_split(field, ':', &name);
	flow_header(scene->session, name, value);
}

/* Hands a message over as an MTA does: folds as LF, the body with CRLF. */
static void
do_message(struct scene *scene, struct slice *rest)
{
	static const struct apply_target functions = {
		.insert_header = insert_header,
		.add_header = add_header,
		.change_header = change_header,
		.delete_header = delete_header,
		.add_recipient = add_recipient,
		.quarantine = quarantine,
	};
	struct apply_target target = functions;
	struct slice field = slice_make(NULL, 0), line;
	bool in_body = false;

	target.context = scene;
	scene->edits.count = 0;
	flow_data(scene->session, &scene->reply);
	while (rest->length > 0) {
		*rest = slice_split(*rest, '\n', &line);
		if (slice_equal_text(line, "."))
			break;
		if (in_body) {
			flow_body(scene->session, line);
			flow_body(scene->session, SLICE_LITERAL("\r\n"));
		} else if (line.length > 0 && ascii_is_space(line.data[0])) {
			field.length =
			    (size_t)(line.data + line.length - field.data);
		} else {
			if (field.length > 0)
				take_header(scene, field);
			field = line;
			in_body = line.length == 0;
			if (in_body)
				flow_end_of_headers(scene->session);
		}
	}
	if (!in_body && field.length > 0)
		take_header(scene, field);
	flow_end_of_headers(scene->session);
	while (flow_end_of_message(scene->session, &target, &scene->reply) ==
	       TC_AGAIN)
		wait_for(scene);
}

static void
do_macro(struct scene *scene, struct slice rest)
{
	struct slice name = next_word(&rest);

	session_macro(scene->session, arena_text(scene->arena, name),
	    arena_text(scene->arena, rest));
}

static void
do_line(struct scene *scene, struct slice line, struct slice *rest)
{
	struct slice argument = line;
	struct slice verb = next_word(&argument);
	unsigned long number;

	if (verbose)
		fprintf(stderr, "# %.*s\n", (int)line.length, line.data);
	if (slice_equal_text(verb, "connect"))
		do_connect(scene, argument);
	else if (slice_equal_text(verb, "expect"))
		expect(scene, argument);
	else if (scene->session == NULL)
		complain(scene, "no connection yet", "");
	else if (slice_equal_text(verb, "macro"))
		do_macro(scene, argument);
	else if (slice_equal_text(verb, "now") &&
		 slice_parse_number(argument, 1ul << 40, &number))
		session_set_now(scene->session, (time_t)number);
	else if (slice_equal_text(verb, "helo"))
		while (flow_helo(scene->session, argument, &scene->reply) ==
		       TC_AGAIN)
			wait_for(scene);
	else if (slice_equal_text(verb, "mail"))
		while (flow_mail(scene->session, argument, &scene->reply) ==
		       TC_AGAIN)
			wait_for(scene);
	else if (slice_equal_text(verb, "rcpt"))
		while (flow_rcpt(scene->session, argument, &scene->reply) ==
		       TC_AGAIN)
			wait_for(scene);
	else if (slice_equal_text(verb, "abort"))
		flow_abort(scene->session);
	else if (slice_equal_text(verb, "message"))
		do_message(scene, rest);
	else
		complain(scene, "no such step", arena_text(scene->arena, line));
}

static void
play_dialogue(struct scene *scene, struct slice text)
{
	while (text.length > 0) {
		struct slice line;

		text = slice_split(text, '\n', &line);
		line = slice_trim(line);
		if (line.length > 0 && line.data[0] != '#')
			do_line(scene, line, &text);
	}
}

/* ---- setting the stage */

static bool
load_policy(struct scene *scene)
{
	struct load_options options = { .now = 1795424400 };
	struct diag diag = diag_make(scene->arena, LOAD_ERRORS_MAX);
	struct builder text = builder_make(scene->arena, SIZE_MAX);

	scene->program = load_file(
	    arena_printf(scene->arena, "%s/tocsin.conf", scene->folder),
	    &options, &diag);
	if (scene->program != NULL)
		return true;
	diag_print_all(&diag, &text);
	complain(scene, "the policy does not load", builder_c_string(&text));
	return false;
}

static bool
build_store(struct scene *scene)
{
	struct build_request request;
	struct build_report report = { 0 };
	const char *problem = "";

	if (feeds_build_request(
		scene->program, 1795424400, scene->arena, &request) != TC_OK ||
	    build_run(scene->arena, &request, &report) != TC_OK) {
		complain(scene, "no store",
		    report.problem == NULL ? "" : report.problem);
		return false;
	}
	if (store_open(feeds_store_path(&request, scene->arena), &scene->store,
		&problem) != TC_OK) {
		complain(scene, "the store does not open", problem);
		return false;
	}
	scene->matcher =
	    matcher_new(scene->store, NULL, request.feeds, request.feed_count);
	return scene->matcher != NULL;
}

static bool
set_stage(struct scene *scene, struct slice zone)
{
	char problem[RESOLVER_PROBLEM_MAX] = "";
	struct journal_settings journal = {
		.directory = arena_printf(
		    scene->arena, "%s/state/evidence", scene->folder)
	};

	mkdir(arena_printf(scene->arena, "%s/state", scene->folder), 0700);
	mkdir(journal.directory, 0700);
	if (!load_policy(scene))
		return false;
	if (program_settings(scene->program)->feed_count > 0 &&
	    !build_store(scene))
		return false;
	scene->resolver = resolver_zone_new(zone, problem);
	if (scene->resolver == NULL) {
		complain(scene, "the zone does not load", problem);
		return false;
	}
	journal.preserve_quota_bytes =
	    program_settings(scene->program)->evidence_quota;
	scene->journal = journal_new(&journal);
	scene->alerts = alert_new();
	limits_set(&scene->limits, program_settings(scene->program));
	scene->shared = (struct session_shared){ .limits = &scene->limits,
		.journal = scene->journal,
		.alerts = scene->alerts };
	scene->basis = (struct session_basis){ .program = scene->program,
		.resolver = scene->resolver,
		.matcher = scene->matcher,
		.store_generation = 1,
		.policy_generation = 1 };
	return true;
}

static void
clear_stage(struct scene *scene)
{
	session_free(&scene->session);
	matcher_free(&scene->matcher);
	store_close(&scene->store);
	resolver_free(&scene->resolver);
	program_free(&scene->program);
	journal_free(&scene->journal);
	alert_free(&scene->alerts);
	remove_folder(scene->folder);
}

static void
take_log(void *context, enum log_level level, const char *line)
{
	struct scene *scene = context;

	(void)level;
	builder_printf(&scene->log, "%s\n", line);
}

/* Writes one section's file; the dialogue and the zone are returned. */
static void
take_section(struct scene *scene, struct slice head, struct slice body,
    struct slice *zone, struct slice *dialogue)
{
	struct slice word = next_word(&head);
	struct builder text = builder_make(scene->arena, SIZE_MAX);

	if (slice_equal_text(word, "file")) {
		write_file(scene, head, body);
	} else if (slice_equal_text(word, "policy")) {
		builder_text(&text, preamble);
		builder_slice(&text, body);
		write_file(
		    scene, SLICE_LITERAL("tocsin.conf"), builder_result(&text));
	} else if (slice_equal_text(word, "zone")) {
		*zone = body;
	} else if (slice_equal_text(word, "dialogue")) {
		*dialogue = body;
	} else {
		complain(
		    scene, "no such section", arena_text(scene->arena, word));
	}
}

static void
read_sections(struct scene *scene, struct slice text, struct slice *zone,
    struct slice *dialogue)
{
	static const struct slice mark = SLICE_LITERAL("== ");
	static const struct slice next_mark = SLICE_LITERAL("\n== ");

	if (!slice_starts_with(text, mark)) {
		size_t first = slice_find(text, next_mark);

		text = first == SIZE_MAX ? slice_make(NULL, 0)
					 : slice_skip(text, first + 1);
	}
	while (text.length > 0) {
		struct slice head, body;
		size_t end;

		/* The line break before a body counts: a section may be
		 * empty. */
		slice_split(text, '\n', &head);
		body = slice_skip(text, head.length);
		end = slice_find(body, next_mark);
		text = end == SIZE_MAX ? slice_make(NULL, 0)
				       : slice_skip(body, end + 1);
		body = slice_skip(
		    slice_range(body, 0, end == SIZE_MAX ? end : end + 1), 1);
		take_section(
		    scene, slice_skip(head, mark.length), body, zone, dialogue);
	}
}

/* Plays one scene; its problems are printed as TAP comments. */
static bool
play(const char *path)
{
	struct scene scene = { .arena = arena_new(0, NULL) };
	struct slice text = read_file(scene.arena, path);
	struct slice zone = slice_make(NULL, 0), dialogue = zone, line;
	const char *base = getenv("TMPDIR");
	struct slice problems;

	scene.log = builder_make(scene.arena, SIZE_MAX);
	scene.problems = builder_make(scene.arena, SIZE_MAX);
	snprintf(scene.folder, sizeof scene.folder, "%s/scene-XXXXXX",
	    base == NULL || strlen(base) > 40 ? "/tmp" : base);
	if (text.data == NULL || mkdtemp(scene.folder) == NULL) {
		printf("# %s: %s\n", path, strerror(errno));
		arena_free(&scene.arena);
		return false;
	}
	log_set_sink(take_log, &scene, LOG_LEVEL_INFO);
	read_sections(&scene, text, &zone, &dialogue);
	if (scene.problems.length == 0 && set_stage(&scene, zone))
		play_dialogue(&scene, dialogue);
	if (dialogue.length == 0)
		complain(&scene, "there is no dialogue", "");
	clear_stage(&scene);
	problems = builder_result(&scene.problems);
	while (problems.length > 0) {
		problems = slice_split(problems, '\n', &line);
		printf("# %.*s\n", (int)line.length, line.data);
	}
	problems = builder_result(&scene.problems);
	arena_free(&scene.arena);
	return problems.length == 0;
}

/* All scenes beside the sources, in order of their names. */
static void
find_scenes(glob_t *found)
{
	const char *source = getenv("srcdir");
	char pattern[4096];

	snprintf(pattern, sizeof pattern, "%s/tests/scenes/*.scene",
	    source == NULL ? "." : source);
	glob(pattern, 0, NULL, found);
}

int
main(int argc, char **argv)
{
	glob_t found = { 0 };
	int first = 1, failed = 0;

	if (argc > 1 && strcmp(argv[1], "-v") == 0) {
		verbose = true;
		first = 2;
	}
	if (argc == first) {
		find_scenes(&found);
		argv = found.gl_pathv;
		argc = (int)found.gl_pathc;
		first = 0;
	}
	printf("1..%d\n", argc - first);
	for (int i = first; i < argc; i++) {
		const char *name = strrchr(argv[i], '/');
		bool good = play(argv[i]);

		failed += !good;
		printf("%s %d - %s\n", good ? "ok" : "not ok", i - first + 1,
		    name == NULL ? argv[i] : name + 1);
	}
	globfree(&found);
	charset_close_all();
	return failed == 0 ? 0 : 1;
}
