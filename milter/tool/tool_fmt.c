#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "language/load.h"
#include "language/print.h"
#include "tool/tool.h"

static const char usage[] =
    "Prints policy and configuration files in the one canonical layout; comments\n"
    "stay. `-` reads the standard input.\n"
    "\n"
    "  -w, --write  put the result in the file's place\n"
    "      --check  print the names of files that would change; exit 1 if any\n"
    "  -h, --help   this text\n";

enum fmt_mode {
	FMT_PRINT,
	FMT_WRITE,
	FMT_CHECK
};

static bool
read_all(FILE *file, struct builder *text)
{
	char buffer[65536];
	size_t got;

	while ((got = fread(buffer, 1, sizeof buffer, file)) > 0)
		builder_slice(text, slice_make(buffer, got));
	return !ferror(file) && !text->failed;
}

static bool
read_source(const char *path, struct builder *text)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	bool good = file != NULL && read_all(file, text);

	if (!good)
		fprintf(stderr, "tocsin fmt: %s: %s\n", path,
		    text->failed ? "too large" : strerror(errno));
	if (file != NULL && file != stdin)
		fclose(file);
	return good;
}

/* Writes beside the file and renames, keeping its mode, so that the file is
 * whole at every moment. */
static bool
replace_file(const char *path, struct slice text, struct arena *arena)
{
	char *aside = arena_printf(arena, "%s.tocsin-fmt", path);
	struct stat info;
	bool good = false;
	int file;

	if (stat(path, &info) != 0)
		return false;
	file = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
	    info.st_mode & 0777);
	if (file < 0)
		return false;
	good = write(file, text.data, text.length) == (ssize_t)text.length &&
	       fsync(file) == 0;
	close(file);
	if (good)
		good = rename(aside, path) == 0;
	if (!good)
		unlink(aside);
	return good;
}

/* Formats one file; EX_OK, 1 when it would change (check), or a failure. */
static int
format_file(const char *path, enum fmt_mode mode)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder text =
	    builder_make(arena, load_default_limits.file_bytes_max);
	struct builder out = builder_make(arena, SIZE_MAX);
	struct builder errors = builder_make(arena, SIZE_MAX);
	struct diag diag = diag_make(arena, LOAD_ERRORS_MAX);
	struct diag_source source = { .file = path };
	int status = EX_OK;
	bool same;

	if (!read_source(path, &text)) {
		arena_free(&arena);
		return EX_NOINPUT;
	}
	source.text = builder_result(&text);
	if (print_file(&source, &diag, &out) != TC_OK) {
		diag_print_all(&diag, &errors);
		fwrite(errors.data, 1, errors.length, stderr);
		arena_free(&arena);
		return EX_CONFIG;
	}
	same = slice_equal(builder_result(&out), source.text);
	if (mode == FMT_PRINT) {
		fwrite(out.data, 1, out.length, stdout);
	} else if (!same && mode == FMT_CHECK) {
		puts(path);
		status = 1;
	} else if (!same && !replace_file(path, builder_result(&out), arena)) {
		fprintf(stderr, "tocsin fmt: %s: cannot write: %s\n", path,
		    strerror(errno));
		status = EX_IOERR;
	}
	arena_free(&arena);
	return status;
}

int
tool_fmt(int argc, char **argv)
{
	static const struct option known[] = {
		{ "write", no_argument, NULL, 'w' },
		{ "check", no_argument, NULL, 'C' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	enum fmt_mode mode = FMT_PRINT;
	int option, worst = EX_OK;

	while ((option = getopt_long(argc, argv, "wh", known, NULL)) != -1) {
		switch (option) {
		case 'w':
			mode = FMT_WRITE;
			break;
		case 'C':
			mode = FMT_CHECK;
			break;
		case 'h':
			return tool_usage(
			    "fmt [--write | --check] FILE...", usage);
		default:
			return tool_misused("fmt", "unknown option");
		}
	}
	if (optind == argc) {
		return tool_misused("fmt", "which file?");
	}
	for (; optind < argc; optind++) {
		int status = format_file(argv[optind], mode);

		if (status > worst)
			worst = status;
	}
	return worst;
}
