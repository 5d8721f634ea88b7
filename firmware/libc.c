/* The few functions of a C library that compilers and kernels call, for toolchains that come
 * without one. */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
float expf(float x);
float logf(float x);

/* May alias anything, as bytes may. */
typedef uint32_t __attribute__((may_alias)) word;

static uint32_t bits_of(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float x;
    __builtin_memcpy(&x, &bits, sizeof x);
    return x;
}

void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if (((uintptr_t)t | (uintptr_t)f) % sizeof(word) == 0) {
        for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
            *(word *)(void *)t = *(const word *)(const void *)f;
            t += sizeof(word);
            f += sizeof(word);
        }
    }
    for (; bytes > 0; bytes--) {
        *t++ = *f++;
    }
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    uint8_t *t = to;
    const uint8_t *f = from;
    if ((uintptr_t)t - (uintptr_t)f >= bytes) {
        return memcpy(to, from, bytes);
    }
    while (bytes > 0) {
        bytes--;
        t[bytes] = f[bytes];
    }
    return to;
}

void *memset(void *to, int value, size_t bytes) {
    uint8_t *t = to;
    const uint8_t byte = (uint8_t)value;
    if ((uintptr_t)t % sizeof(word) == 0) {
        for (; bytes >= sizeof(word); bytes -= sizeof(word)) {
            *(word *)(void *)t = byte * 0x01010101U;
            t += sizeof(word);
        }
    }
    for (; bytes > 0; bytes--) {
        *t++ = byte;
    }
    return to;
}

/* ln 2 in two parts: the first has room for its product with an exponent. */
static const float LN2_HIGH = 0x1.62e4p-1F, LN2_LOW = 0x1.7f7d1cp-20F;

/* e^x = 2^n e^r with |r| <= ln(2) / 2, where seven terms of the series are enough. */
float expf(float x) {
    if (!(x < 89.0F)) { /* NaN, too */
        return x * __builtin_inff();
    }
    if (x < -104.0F) {
        return 0.0F;
    }
    const int32_t n = (int32_t)(x * 0x1.715476p+0F + (x < 0.0F ? -0.5F : 0.5F));
    const float r = (x - (float)n * LN2_HIGH) - (float)n * LN2_LOW;
    float sum = 1.0F / 5040.0F;
    sum = sum * r + 1.0F / 720.0F;
    sum = sum * r + 1.0F / 120.0F;
    sum = sum * r + 1.0F / 24.0F;
    sum = sum * r + 1.0F / 6.0F;
    sum = sum * r + 0.5F;
    sum = 1.0F + (r + r * r * sum);
    const int32_t half = n / 2; /* 2^n alone may be out of range */
    const float first = float_of((uint32_t)(half + 127) << 23);
    const float second = float_of((uint32_t)(n - half + 127) << 23);
    return sum * first * second;
}

/* ln(m 2^n) with m from sqrt(1/2) to sqrt(2), and ln(m) = 2 artanh((m - 1) / (m + 1)). */
float logf(float x) {
    if (!(x > 0.0F)) {
        return x == 0.0F ? -__builtin_inff() : __builtin_nanf("");
    }
    if (x == __builtin_inff()) {
        return x;
    }
    int32_t n = 0;
    if (bits_of(x) < 0x00800000) {
        x *= 0x1p24F;
        n = -24;
    }
    const uint32_t bits = bits_of(x) - bits_of(0x1.6a09e6p-1F);
    n += (int32_t)bits >> 23;
    const float m = float_of((bits & 0x007FFFFF) + bits_of(0x1.6a09e6p-1F));
    const float f = m - 1.0F, s = f / (m + 1.0F), z = s * s;
    float sum = 2.0F / 9.0F;
    sum = sum * z + 2.0F / 7.0F;
    sum = sum * z + 2.0F / 5.0F;
    sum = sum * z + 2.0F / 3.0F;
    /* 2 s = f - s f keeps the digits that s lost. */
    return (float)n * LN2_HIGH + (f - s * (f - sum * z) + (float)n * LN2_LOW);
}
