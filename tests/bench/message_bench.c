/*
 * message_bench - how fast messages are read, and what is found odd in them
 *
 *	message_bench [-n ROUNDS] [-d] [-t] [-v] FILE...
 *
 * Reads each file ROUNDS times (1) as a raw message and prints MB/s over all.
 * -d computes the three digests, -t body text and URLs, -v prints each file's
 * parts, URLs and defects instead.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "message/message.h"

static struct slice
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	char *bytes;
	size_t length;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		return slice_make(NULL, 0);
	bytes = malloc((size_t)status.st_size + 1);
	length =
	    bytes == NULL ? 0 : fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return slice_make(bytes, length);
}

static void
show(const char *path, const struct message *message)
{
	mime_defect_set defects = message_defects(message);
	const struct mime_parts *parts = message_parts(message);

	printf("%s parts=%zu urls=%zu text=%zu from=%zu from-defects=%#x", path,
	    parts->count, message_urls(message)->count,
	    message_body_text(message).length, message_from(message)->count,
	    message_from(message)->defects);
	for (unsigned i = 0; i < MIME_DEFECT_COUNT; i++)
		if (defects & MIME_DEFECT_BIT(i))
			printf(" %s", mime_defect_name((enum mime_defect)i));
	for (size_t i = 0; i < parts->count; i++)
		if (parts->items[i].reading != NULL)
			printf(" [%s]", parts->items[i].reading);
	printf("\n");
}

static double
now(void)
{
	struct timespec time;

	/* of the processor: others may work beside us */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	unsigned long rounds = 1;
	unsigned needs = 0;
	bool verbose = false;
	double began, bytes = 0;
	int option;

	while ((option = getopt(argc, argv, "n:dtcv")) != -1) {
		if (option == 'n')
			rounds = strtoul(optarg, NULL, 10);
		else if (option == 'd')
			needs |= MESSAGE_NEED_MD5 | MESSAGE_NEED_SHA1 |
				 MESSAGE_NEED_SHA256;
		else if (option == 't')
			needs |= MESSAGE_NEED_TEXT | MESSAGE_NEED_URLS;
		else if (option == 'c')
			needs |= MESSAGE_NEED_CONTENT;
		else
			verbose = true;
	}
	began = now();
	for (int i = optind; i < argc; i++) {
		struct slice raw = read_file(argv[i]);
		struct arena *arena = arena_new(0, NULL);

		if (rounds > 1)
			began = now();
		for (unsigned long n = 0; n < rounds; n++) {
			struct message *message =
			    message_new(arena, &message_limits_default, needs);

			message_parse_raw(message, raw);
			if (verbose)
				show(argv[i], message);
			arena_reset(arena);
		}
		bytes += (double)raw.length * (double)rounds;
		if (rounds > 1) {
			double seconds = now() - began;

			printf("%s: %.0f MB/s\n", argv[i],
			    (double)raw.length * (double)rounds / seconds /
				1e6);
		}
		arena_free(&arena);
		free((void *)(size_t)raw.data);
	}
	if (rounds == 1 && !verbose)
		printf("%.0f MB/s\n", bytes / (now() - began) / 1e6);
	return 0;
}
