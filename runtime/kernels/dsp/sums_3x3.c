/* Sums of three by three taps at a step of one: two neighbouring results at a time, down a plane.
 * What a row of the plane has for both is two words, and two of three rows stay in registers. */
#include "planes.h"

#ifdef __ARM_FEATURE_DSP

/* The first two taps of each row as a pair, and the last two, the first two of the middle row
 * behind the others; bytes from a row of the plane and of the sums to the next; the sums behind the
 * last. */
typedef struct {
    mg_pair w[6];
    int32_t x_step, to_step;
    const int32_t *end;
} columns;

/* Two results, in ip and lr, of rows of x in registers, of which the first makes room for the pair
 * of taps that has none, and then for the third row. */
#define ROW(first, first_2, second, second_2)                                                      \
    "smuad  ip, " #first ", r3\n\t"                                                                \
    "smulbt lr, r3, " #first "\n\t"                                                                \
    "smlabt ip, " #first_2 ", r4, ip\n\t"                                                          \
    "smlad  lr, " #first_2 ", r4, lr\n\t"                                                          \
    "ldr    " #first ", [r0, #20]\n\t"                                                             \
    "smlad  ip, " #second ", " #first ", ip\n\t"                                                   \
    "smlabt lr, " #first ", " #second ", lr\n\t"                                                   \
    "smlabt ip, " #second_2 ", r5, ip\n\t"                                                         \
    "smlad  lr, " #second_2 ", r5, lr\n\t"                                                         \
    "ldrd   " #first ", " #first_2 ", [r1]\n\t"                                                    \
    "smlad  ip, " #first ", r6, ip\n\t"                                                            \
    "smlabt lr, r6, " #first ", lr\n\t"                                                            \
    "smlabt ip, " #first_2 ", r7, ip\n\t"                                                          \
    "smlad  lr, " #first_2 ", r7, lr\n\t"                                                          \
    "strd   ip, lr, [r2]\n\t"                                                                      \
    "ldrd   ip, lr, [r0, #24]\n\t"                                                                 \
    "add    r1, ip\n\t"                                                                            \
    "add    r2, lr\n\t"                                                                            \
    "ldr    ip, [r0, #32]\n\t"                                                                     \
    "cmp    r2, ip\n\t"

/* Needs every register; compilers would keep some for else, and move what the others hold about. */
static inline void slide(const columns *c, const int16_t *x, int32_t *to) {
    register const columns *r0 __asm__("r0") = c;
    register const int16_t *r1 __asm__("r1") = x;
    register int32_t *r2 __asm__("r2") = to;
    /* clang-format off */
    __asm__ volatile("ldm    r0, {r3-r7}\n\t"
                     "ldr    ip, [r0, #24]\n\t"
                     "ldrd   r8, r9, [r1]\n\t"
                     "add    r1, ip\n\t"
                     "ldrd   r10, r11, [r1]\n\t"
                     "add    r1, ip\n"
                     "1:\n\t"
                     ROW(r8, r9, r10, r11)
                     "beq    2f\n\t"
                     ROW(r10, r11, r8, r9)
                     "bne    1b\n"
                     "2:"
                     : "+r"(r1), "+r"(r2)
                     : "r"(r0)
                     : "r3", "r4", "r5", "r6", "r7", "r8", "r9", "r10", "r11", "ip", "lr", "cc",
                       "memory");
    /* clang-format on */
}

void mg_sums_3x3(const mg_taps *taps, const int16_t *x, int32_t rows, int32_t width,
                 int32_t *sums) {
    const int16_t *const w = taps->w;
    columns c = {
        .w = {mg_load_word(w), mg_load_word(w + 1), mg_load_word(w + 5), mg_load_word(w + 8),
              mg_load_word(w + 9), mg_load_word(w + 4)},
        .x_step = taps->row * (int32_t)sizeof *x,
        .to_step = width * (int32_t)sizeof *sums,
    };
    /* The last ones first: their second result may be none, and lies where another comes. */
    for (int32_t column = (width - 1) & -2; column >= 0; column -= 2) {
        c.end = sums + column + rows * width;
        slide(&c, x + column, sums + column);
    }
}

#endif
