/* Sums of rows of up to eight taps at a step of one or two: four neighbouring results at a time,
 * down a plane. They and a row of taps fill the registers; compilers would keep some for else. */
#include "planes.h"

#ifdef __ARM_FEATURE_DSP

/* The taps; bytes from a row of the plane to what its next taps meet, from behind the last to where
 * the results below begin, and from these sums to theirs; the sums behind the last. */
typedef struct {
    const int16_t *w, *w_end;
    int32_t down, row, sums;
    const int32_t *end;
} runs;

typedef void sums_down(const runs *c, const int16_t *x, int32_t *to);

/* Sums are in r4 to r7, a row of taps from r8 on; words of x, at a byte, go to ip and lr. */
#define ONE(at)      "ldr  ip, [r1, #" #at "]\n\t"
#define TWO(at)      "ldrd ip, lr, [r1, #" #at "]\n\t"
#define ADD(r, x, w) "smlad r" #r ", " #x ", r" #w ", r" #r "\n\t"

#define SUMS_DOWN(name, load_taps, add_row)                                                        \
    static void name(const runs *c, const int16_t *x, int32_t *to) {                               \
        register const runs *r0 __asm__("r0") = c;                                                 \
        register const int16_t *r1 __asm__("r1") = x;                                              \
        register int32_t *r2 __asm__("r2") = to;                                                   \
        __asm__ volatile("1:\n\t"                                                                  \
                         "ldr  r3, [r0]\n\t"                                                       \
                         "movs r4, #0\n\t"                                                         \
                         "movs r5, #0\n\t"                                                         \
                         "movs r6, #0\n\t"                                                         \
                         "movs r7, #0\n"                                                           \
                         "2:\n\t" load_taps "\n\t" add_row "ldrd ip, lr, [r0, #4]\n\t"             \
                         "add  r1, lr\n\t"                                                         \
                         "cmp  r3, ip\n\t"                                                         \
                         "bne  2b\n\t"                                                             \
                         "strd r4, r5, [r2]\n\t"                                                   \
                         "strd r6, r7, [r2, #8]\n\t"                                               \
                         "ldrd ip, lr, [r0, #12]\n\t"                                              \
                         "add  r1, ip\n\t"                                                         \
                         "add  r2, lr\n\t"                                                         \
                         "ldr  ip, [r0, #20]\n\t"                                                  \
                         "cmp  r2, ip\n\t"                                                         \
                         "bne  1b"                                                                 \
                         : "+r"(r1), "+r"(r2)                                                      \
                         : "r"(r0)                                                                 \
                         : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "ip", "lr",     \
                           "cc", "memory");                                                        \
    }

/* clang-format off */
#define FIRST_TAPS_1 TWO(0) ADD(4, ip, 8) ADD(4, lr, 9) ADD(6, lr, 8) ONE(2) ADD(5, ip, 8)         \
                     ONE(6) ADD(5, ip, 9) ADD(7, ip, 8) ONE(10) ADD(7, ip, 9)
#define FIRST_TAPS_2 TWO(0) ADD(4, ip, 8) ADD(5, lr, 8) ADD(4, lr, 9)                              \
                     TWO(8) ADD(6, ip, 8) ADD(5, ip, 9) ADD(7, lr, 8) ADD(6, lr, 9)

SUMS_DOWN(step1_pairs1, "ldr r8, [r3], #4",
          TWO(0) ADD(4, ip, 8) ADD(6, lr, 8) ONE(2) ADD(5, ip, 8) ONE(6) ADD(7, ip, 8))
SUMS_DOWN(step1_pairs2, "ldm r3!, {r8, r9}", FIRST_TAPS_1 ONE(8) ADD(6, ip, 9))
SUMS_DOWN(step1_pairs3, "ldm r3!, {r8-r10}",
          FIRST_TAPS_1 ADD(5, ip, 10) ONE(14) ADD(7, ip, 10)
          TWO(8) ADD(6, ip, 9) ADD(4, ip, 10) ADD(6, lr, 10))
SUMS_DOWN(step1_pairs4, "ldm r3!, {r8-r11}",
          FIRST_TAPS_1 ADD(5, ip, 10) ONE(14) ADD(7, ip, 10) ADD(5, ip, 11) ONE(18) ADD(7, ip, 11)
          TWO(8) ADD(6, ip, 9) ADD(4, ip, 10) ADD(6, lr, 10) ADD(4, lr, 11) ONE(16) ADD(6, ip, 11))
SUMS_DOWN(step2_pairs1, "ldr r8, [r3], #4",
          TWO(0) ADD(4, ip, 8) ADD(5, lr, 8) TWO(8) ADD(6, ip, 8) ADD(7, lr, 8))
SUMS_DOWN(step2_pairs2, "ldm r3!, {r8, r9}", FIRST_TAPS_2 ONE(16) ADD(7, ip, 9))
SUMS_DOWN(step2_pairs3, "ldm r3!, {r8-r10}",
          FIRST_TAPS_2 ADD(4, ip, 10) ADD(5, lr, 10)
          TWO(16) ADD(7, ip, 9) ADD(6, ip, 10) ADD(7, lr, 10))
SUMS_DOWN(step2_pairs4, "ldm r3!, {r8-r11}",
          FIRST_TAPS_2 ADD(4, ip, 10) ADD(5, lr, 10) ADD(4, lr, 11)
          TWO(16) ADD(7, ip, 9) ADD(6, ip, 10) ADD(5, ip, 11) ADD(7, lr, 10) ADD(6, lr, 11)
          ONE(24) ADD(7, ip, 11))
/* clang-format on */

void mg_run_sums(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                 int32_t *sums) {
    static sums_down *const of[2][4] = {
        {step1_pairs1, step1_pairs2, step1_pairs3, step1_pairs4},
        {step2_pairs1, step2_pairs2, step2_pairs3, step2_pairs4},
    };
    sums_down *const down = of[taps->column - 1][taps->pairs - 1];
    runs c = {
        .w = taps->w,
        .w_end = taps->w + taps->rows * taps->pairs * 2,
        .down = taps->down * (int32_t)sizeof *x,
        .row = (taps->row - taps->rows * taps->down) * (int32_t)sizeof *x,
        .sums = width * (int32_t)sizeof *sums,
    };
    /* The last ones first: up to three results more are written, where others come. */
    for (int32_t column = (width - 1) & -MG_RUN; column >= 0; column -= MG_RUN) {
        c.end = sums + column + rows * width;
        down(&c, x + column * taps->column, sums + column);
    }
}

#endif
