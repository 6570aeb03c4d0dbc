#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "scanner/answer.h"
#include "scanner/carrier.h"
#include "scanner/command.h"
#include "scanner/document.h"
#include "scanner/embedded.h"
#include "scanner/entry_name.h"
#include "scanner/forms.h"
#include "scanner/guess.h"
#include "scanner/office.h"
#include "scanner/pdf.h"
#include "scanner/pieces.h"
#include "scanner/rar_files.h"
#include "scanner/rtf.h"
#include "scanner/vba.h"
#include "scanner/xml.h"
#include "scanner/zip_names.h"

#define ITEMS_MAX   1000
#define ENTRIES_MAX 10000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
sum_of(struct slice slice)
{
	unsigned sum = 0;

	for (size_t i = 0; i < slice.length; i++)
		sum += (unsigned char)slice.data[i];
	return sum;
}

/* What a worker that was taken over may write. */
static unsigned
read_answer(struct arena *arena, struct slice bytes)
{
	struct scanner_result result;
	unsigned sum = 0;

	if (answer_read(bytes, arena, ITEMS_MAX, &result) != TC_OK)
		return 0;
	for (size_t i = 0; i < result.items.count; i++) {
		const struct scanner_item *item = &result.items.items[i];

		if (item->parent > i || (i > 0 && item->parent == i))
			abort();
		sum += sum_of(item->name) + sum_of(item->content);
		for (size_t j = 0; j < item->urls.count; j++)
			sum += sum_of(item->urls.items[j]);
	}
	return sum;
}

static unsigned
read_zip_names(struct slice bytes)
{
	struct zip_names names;
	struct zip_name name;
	unsigned sum = 0;

	if (!zip_names_begin(bytes, ENTRIES_MAX, &names))
		return 0;
	while (zip_names_next(&names, &name))
		sum += sum_of(name.local) + sum_of(name.central);
	return sum;
}

/* Readings lie within the file; the walks end. */
static unsigned
read_forms(struct arena *arena, struct slice bytes)
{
	struct forms_reading readings[FORMS_READINGS_MAX];
	size_t count = forms_readings(bytes, ENTRIES_MAX, readings);
	struct rar_files files;
	struct rar_file file;
	unsigned sum = forms_is_closed(bytes);

	if (count > FORMS_READINGS_MAX)
		abort();
	for (size_t i = 0; i < count; i++)
		if (readings[i].at >= bytes.length)
			abort();
	rar_files_begin(bytes, &files);
	while (rar_files_next(&files, &file))
		sum += file.encrypted;
	return sum + sum_of(entry_name_utf8(arena, bytes)) +
	       sum_of(entry_name_gzip(bytes));
}

static bool
take_file(void *context, struct slice name, struct slice content)
{
	unsigned *sum = context;

	*sum += sum_of(name) + sum_of(content);
	return true;
}

static bool
take_text(void *context, struct slice content)
{
	unsigned *sum = context;

	*sum += sum_of(content);
	return true;
}

static void
take_unread(void *context, const char *reason)
{
	unsigned *sum = context;

	*sum += (unsigned char)reason[0];
}

/* Whatever the file says that it is, each reader gets it. */
static unsigned
read_carriers(struct slice bytes)
{
	unsigned sum = 0;
	const struct found_limits limits = { .all_bytes = 4u << 20,
		.document_bytes = 1u << 20,
		.objects = 1000,
		.ratio = 200 };
	const struct found found = { .context = &sum,
		.limits = &limits,
		.file = take_file,
		.text = take_text,
		.unread = take_unread };

	office_files(bytes, &found);
	rtf_files(bytes, &found);
	rtf_text(bytes, &found);
	rtf_squeezed(bytes, &found);
	carrier_files(bytes, &found);
	pdf_files(bytes, &found);
	pdf_strings(bytes, &found);
	vba_sources(bytes, &found);
	pieces_join(bytes, &found);
	command_text(bytes, &found);
	xml_text(bytes, &found);
	xml_files(bytes, &found);
	return sum;
}

static unsigned
read_document(struct arena *arena, struct slice bytes)
{
	struct scanner_item item = { 0 };
	unsigned sum = 0;

	document_inspect(bytes, ENTRIES_MAX, &item);
	document_urls(bytes, 2000, arena, &item);
	for (size_t i = 0; i < item.urls.count; i++)
		sum += sum_of(item.urls.items[i]);
	return sum;
}

static unsigned
read_page(struct arena *arena, struct slice bytes)
{
	struct embedded embedded = { .content = bytes };
	struct slice text;
	unsigned sum = embedded_any(bytes) + embedded_is_text(bytes);

	while (embedded_next(&embedded, &text)) {
		unsigned char *file = arena_alloc(arena, text.length + 1);

		if (file == NULL)
			break;
		if (embedded_decode(text, file) > text.length)
			abort();
	}
	return sum + guess_has_url(bytes) +
	       (unsigned)guess_kind(bytes, slice_range(bytes, 0, 8));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(64u << 20, NULL);
	struct slice bytes = slice_make(data, size);
	volatile unsigned sum = 0;

	sum += read_answer(arena, bytes);
	sum += read_zip_names(bytes);
	sum += read_forms(arena, bytes);
	sum += read_carriers(bytes);
	sum += read_document(arena, bytes);
	sum += read_page(arena, bytes);
	(void)sum;
	arena_free(&arena);
	return 0;
}
