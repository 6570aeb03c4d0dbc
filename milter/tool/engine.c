#include <config.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "language/load.h"
#include "tool/engine.h"

int
engine_open(struct engine *engine, const char *command, const char *config)
{
	struct load_options options = { .now = time(NULL) };
	struct builder text;
	struct diag diag;

	*engine = (struct engine){ .command = command };
	engine->arena = arena_new(0, NULL);
	if (engine->arena == NULL)
		return EX_OSERR;
	diag = diag_make(engine->arena, LOAD_ERRORS_MAX);
	engine->program = load_file(config, &options, &diag);
	if (engine->program == NULL) {
		text = builder_make(engine->arena, SIZE_MAX);
		diag_print_all(&diag, &text);
		fwrite(text.data, 1, text.length, stderr);
		engine_close(engine);
		return EX_CONFIG;
	}
	if (feeds_build_request(engine->program, options.now, engine->arena,
		&engine->request) == TC_OK)
		return EX_OK;
	engine_close(engine);
	return EX_OSERR;
}

static void
find_author(struct engine *engine)
{
	const char *by = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *user = getpwuid(getuid());

	if (by == NULL)
		by = user == NULL ? "" : user->pw_name;
	snprintf(engine->author, sizeof engine->author, "%s", by);
}

static int
become(struct engine *engine, const char *folder, const struct stat *info)
{
	const struct passwd *owner = getpwuid(info->st_uid);

	if (owner != NULL && initgroups(owner->pw_name, owner->pw_gid) == 0 &&
	    setgid(owner->pw_gid) == 0 && setuid(info->st_uid) == 0 &&
	    setuid(0) != 0)
		return EX_OK;
	fprintf(stderr,
	    "tocsin %s: cannot become the owner of %s (user %lu): %s\n",
	    engine->command, folder, (unsigned long)info->st_uid,
	    owner == NULL ? "there is no such user" : strerror(errno));
	return EX_NOPERM;
}

int
engine_become_owner(struct engine *engine)
{
	const char *folder = engine->request.state_directory;
	struct stat info;

	find_author(engine);
	if (geteuid() != 0 || stat(folder, &info) != 0 || info.st_uid == 0)
		return EX_OK;
	return become(engine, folder, &info);
}

int
engine_become_feeds_owner(struct engine *engine)
{
	const char *folder = arena_printf(
	    engine->arena, "%s/feeds", engine->request.state_directory);
	struct stat info;

	if (geteuid() != 0 || lstat(folder, &info) != 0)
		return engine_become_owner(engine);
	/* A link would lead root to wherever its maker likes. */
	if (!S_ISDIR(info.st_mode)) {
		fprintf(stderr, "tocsin %s: %s is no folder\n", engine->command,
		    folder);
		return EX_NOPERM;
	}
	if (info.st_uid == 0)
		return engine_become_owner(engine);
	find_author(engine);
	return become(engine, folder, &info);
}

int
engine_open_overlay(struct engine *engine)
{
	if (overlay_load(engine->request.state_directory,
		&engine->request.exempt, engine->request.now_unix,
		&engine->overlay) == TC_OK)
		return EX_OK;
	fprintf(stderr, "tocsin %s: %s/%s: %s\n", engine->command,
	    engine->request.state_directory, OVERLAY_FILE_NAME,
	    strerror(errno));
	return EX_NOINPUT;
}

int
engine_open_matcher(struct engine *engine)
{
	const char *path = feeds_store_path(&engine->request, engine->arena);
	const char *problem = "";
	enum tc_status status = store_open(path, &engine->store, &problem);

	if (status == TC_INVALID) {
		fprintf(stderr,
		    "tocsin %s: %s: %s; `tocsin indicators build` makes it "
		    "anew\n",
		    engine->command, path, problem);
		return EX_DATAERR;
	}
	if (status != TC_OK && errno != ENOENT) {
		fprintf(stderr, "tocsin %s: %s: %s\n", engine->command, path,
		    strerror(errno));
		return EX_NOINPUT;
	}
	if (status != TC_OK && engine->request.feed_count > 0)
		fprintf(stderr,
		    "tocsin %s: there is no store yet (%s); `tocsin indicators "
		    "build` makes it\n",
		    engine->command, path);
	if (engine->overlay == NULL) {
		int opened = engine_open_overlay(engine);

		if (opened != EX_OK)
			return opened;
	}
	engine->matcher = matcher_new(engine->store, engine->overlay,
	    engine->request.feeds, engine->request.feed_count);
	return engine->matcher == NULL ? EX_OSERR : EX_OK;
}

void
engine_close(struct engine *engine)
{
	matcher_free(&engine->matcher);
	overlay_free(&engine->overlay);
	store_close(&engine->store);
	program_free(&engine->program);
	arena_free(&engine->arena);
}

bool
engine_parse_duration(const char *text, uint64_t *seconds_out)
{
	static const struct {
		char unit;
		uint64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
		{ 'w', 604800 } };
	struct slice number = slice_text(text);
	unsigned long count;

	if (number.length < 2)
		return false;
	number.length--;
	if (!slice_parse_number(number, 1000000, &count))
		return false;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (text[number.length] == units[i].unit) {
			*seconds_out = count * units[i].seconds;
			return true;
		}
	return false;
}

void
engine_print_json(struct slice text)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_json(&out, text);
	fwrite(out.data, 1, out.length, stdout);
	arena_free(&arena);
}

void
engine_print_safe(struct slice text)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_printable(&out, text, 400);
	fwrite(out.data, 1, out.length, stdout);
	arena_free(&arena);
}

const char *
engine_time_text(struct arena *arena, int64_t unix_time, const char *absent)
{
	time_t seconds = (time_t)unix_time;
	char text[64];
	struct tm utc;

	if (unix_time == 0 || gmtime_r(&seconds, &utc) == NULL)
		return absent;
	strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", &utc);
	return arena_text(arena, slice_text(text));
}
