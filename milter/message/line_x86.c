#include <config.h>

#include "message/line_x86.h"

#if defined(__x86_64__)

#include <immintrin.h>
#include <stdint.h>

#define BLOCK 64

bool
line_x86_usable(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
}

/* One bit for each octet of a block. */
__attribute__((target("avx2"))) static inline uint64_t
mask_of(__m256i low, __m256i high)
{
	return (uint32_t)_mm256_movemask_epi8(low) |
	       (uint64_t)(uint32_t)_mm256_movemask_epi8(high) << 32;
}

__attribute__((target("avx2"))) static inline uint64_t
equal_mask(__m256i low, __m256i high, char octet)
{
	__m256i wanted = _mm256_set1_epi8(octet);

	return mask_of(
	    _mm256_cmpeq_epi8(low, wanted), _mm256_cmpeq_epi8(high, wanted));
}

/* line_is_odd_start() of 32 octets: each has a bit for its low nibble and one
 * for its high one; those have a bit in common. */
__attribute__((target("avx2"))) static inline __m256i
odd_starts(__m256i octets)
{
	const __m256i by_low = _mm256_broadcastsi128_si256(
	    _mm_setr_epi8(2, 0, 8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 7, 0, 0));
	const __m256i by_high = _mm256_broadcastsi128_si256(
	    _mm_setr_epi8(1, 0, 2, 4, 8, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0));
	const __m256i nibble = _mm256_set1_epi8(0x0f);
	__m256i low =
	    _mm256_shuffle_epi8(by_low, _mm256_and_si256(octets, nibble));
	__m256i high = _mm256_shuffle_epi8(
	    by_high, _mm256_and_si256(_mm256_srli_epi16(octets, 4), nibble));

	return _mm256_cmpeq_epi8(
	    _mm256_and_si256(low, high), _mm256_setzero_si256());
}

__attribute__((target("avx2,bmi,popcnt"))) size_t
line_x86_scan(struct slice bytes, size_t from, struct line_survey *survey)
{
	const char *data = bytes.data;
	size_t at = from, line = from;
	uint64_t starts_before = 1, cr_before = 0;

	while (bytes.length - at > BLOCK) {
		__m256i low = _mm256_loadu_si256((const void *)(data + at));
		__m256i high =
		    _mm256_loadu_si256((const void *)(data + at + 32));
		uint64_t lf = equal_mask(low, high, '\n');
		uint64_t cr = equal_mask(low, high, '\r');
		uint64_t odd = ~mask_of(odd_starts(low), odd_starts(high));
		uint64_t events = odd & (lf << 1 | starts_before);

		/* a CR of its own; the octet behind the block is there */
		events |= cr & ~(lf >> 1 | (uint64_t)(data[at + BLOCK] == '\n')
					       << 63);
		if (events != 0)
			lf &= (events & -events) - 1;
		survey->crlf +=
		    (size_t)__builtin_popcountll(lf & (cr << 1 | cr_before));
		survey->lf +=
		    (size_t)__builtin_popcountll(lf & ~(cr << 1 | cr_before));
		if (lf != 0)
			line = at + BLOCK - (size_t)__builtin_clzll(lf);
		if (events != 0)
			return line;
		starts_before = lf >> 63;
		cr_before = cr >> 63;
		at += BLOCK;
	}
	return line;
}

__attribute__((target("avx2,bmi"))) size_t
line_x86_copy(struct slice text, unsigned char *out)
{
	size_t at = 0;

	while (text.length - at >= 32) {
		__m256i octets =
		    _mm256_loadu_si256((const void *)(text.data + at));
		uint32_t ends = (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(
		    _mm256_cmpeq_epi8(octets, _mm256_set1_epi8('=')),
		    _mm256_cmpeq_epi8(octets, _mm256_set1_epi8('\n'))));

		_mm256_storeu_si256((void *)(out + at), octets);
		if (ends != 0)
			return at + (size_t)__builtin_ctz(ends);
		at += 32;
	}
	return at;
}

/* What stands at text[at], a '=' or an LF with two octets behind it. False for
 * what is not of the usual form. */
static inline bool
quoted_event(struct slice text, const unsigned char *hex_values,
    unsigned char *out, struct line_x86_quoted *done)
{
	const unsigned char *at =
	    (const unsigned char *)text.data + done->taken;
	unsigned high = hex_values[at[1]], low = hex_values[at[2]];
	unsigned char last;

	if (at[0] == '=') {
		bool escape = high != 0 && low != 0;

		if (!escape && (at[1] != '\r' || at[2] != '\n'))
			return false;
		if (escape)
			out[done->written++] =
			    (unsigned char)((high - 1) * 16 + low - 1);
		done->taken += 3;
		done->fixed = done->written;
		return true;
	}
	if (done->taken < 2)
		return false;
	last = at[-1] == '\r' ? at[-2] : at[-1];
	if (last == ' ' || last == '\t')
		return false;
	out[done->written++] = '\n';
	done->taken++;
	done->fixed = done->written;
	return true;
}

/* Copies 32 octets, of which the first ones count. */
__attribute__((target("avx2"))) static inline void
copy_block(
    struct slice text, unsigned char *out, const struct line_x86_quoted *done)
{
	_mm256_storeu_si256((void *)(out + done->written),
	    _mm256_loadu_si256((const void *)(text.data + done->taken)));
}

/* The events of a block are found at once, then taken one by one. */
__attribute__((target("avx2,bmi"))) struct line_x86_quoted
line_x86_quoted(
    struct slice text, const unsigned char hex_values[256], unsigned char *out)
{
	struct line_x86_quoted done = { 0 };
	bool good = true;

	while (good && text.length - done.taken >= 2 * BLOCK) {
		size_t base = done.taken, plain;
		__m256i low =
		    _mm256_loadu_si256((const void *)(text.data + base));
		__m256i high =
		    _mm256_loadu_si256((const void *)(text.data + base + 32));
		uint64_t events =
		    equal_mask(low, high, '=') | equal_mask(low, high, '\n');

		while (good && done.taken - base < BLOCK) {
			uint64_t left = events >> (done.taken - base);

			plain = left != 0 ? (size_t)__builtin_ctzll(left)
					  : BLOCK - (done.taken - base);
			copy_block(text, out, &done);
			done.taken += plain < 32 ? plain : 32;
			done.written += plain < 32 ? plain : 32;
			if (plain < 32 && left != 0)
				good =
				    quoted_event(text, hex_values, out, &done);
		}
	}
	return done;
}

#else

bool
line_x86_usable(void)
{
	return false;
}

size_t
line_x86_scan(struct slice bytes, size_t from, struct line_survey *survey)
{
	(void)bytes;
	(void)survey;
	return from;
}

size_t
line_x86_copy(struct slice text, unsigned char *out)
{
	(void)text;
	(void)out;
	return 0;
}

struct line_x86_quoted
line_x86_quoted(
    struct slice text, const unsigned char hex_values[256], unsigned char *out)
{
	(void)text;
	(void)hex_values;
	(void)out;
	return (struct line_x86_quoted){ 0 };
}

#endif
