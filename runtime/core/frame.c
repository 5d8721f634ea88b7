/* Frames: COBS (Cheshire and Baker, 1999) ended by a zero, with a CRC-32 as in IEEE 802.3. */
#include "mg_link.h"
#include "mg_port.h"

enum { CHECKSUM = 4, LONGEST_BLOCK = 254 };

/* Four bits at a time: a table of 64 bytes. */
static uint32_t crc32(const uint8_t *bytes, uint32_t length) {
    static const uint32_t table[16] = {0x00000000, 0x1DB71064, 0x3B6E20C8, 0x26D930AC,
                                       0x76DC4190, 0x6B6B51F4, 0x4DB26158, 0x5005713C,
                                       0xEDB88320, 0xF00F9344, 0xD6D6A3E8, 0xCB61B38C,
                                       0x9B64C2B0, 0x86D3D2D4, 0xA00AE278, 0xBDBDF21C};
    uint32_t crc = 0xFFFFFFFF;
    for (uint32_t i = 0; i < length; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15];
        crc = (crc >> 4) ^ table[crc & 15];
    }
    return ~crc;
}

static void append(mg_decoder *decoder, uint8_t byte) {
    mg_frame *frame = &decoder->frame;
    if (frame->length < MG_FRAME_BYTES) {
        frame->bytes[frame->length++] = byte;
    } else {
        decoder->too_long = true;
    }
}

static mg_decoded decode_end(mg_decoder *decoder) {
    const bool whole = decoder->left == 0 && !decoder->too_long;
    const bool empty = whole && !decoder->zero_is_due && decoder->frame.length == 0;
    decoder->left = 0;
    decoder->zero_is_due = false;
    decoder->too_long = false;
    if (empty) {
        return MG_MORE;
    }
    return whole ? MG_WHOLE : MG_NOT_COBS;
}

mg_decoded mg_decode(mg_decoder *decoder, uint8_t byte) {
    if (byte == 0) {
        return decode_end(decoder);
    }
    if (decoder->left > 0) {
        decoder->left--;
        append(decoder, byte);
        return MG_MORE;
    }
    if (decoder->zero_is_due) {
        append(decoder, 0);
    }
    decoder->left = (uint8_t)(byte - 1);
    decoder->zero_is_due = byte <= LONGEST_BLOCK;
    return MG_MORE;
}

void mg_frame_start(mg_frame *frame, uint16_t sequence, uint8_t type) {
    __builtin_memcpy(frame->bytes, &sequence, sizeof sequence);
    frame->bytes[2] = type;
    frame->length = MG_FRAME_HEADER;
}

void mg_frame_append(mg_frame *frame, const void *content, uint32_t bytes) {
    __builtin_memcpy(frame->bytes + frame->length, content, bytes);
    frame->length += bytes;
}

void mg_frame_send(mg_frame *frame) {
    const uint32_t crc = crc32(frame->bytes, frame->length);
    uint32_t start = 0;
    const uint32_t end = frame->length + CHECKSUM;
    __builtin_memcpy(frame->bytes + frame->length, &crc, CHECKSUM);
    while (start <= end) {
        uint32_t stop = start;
        while (stop < end && stop - start < LONGEST_BLOCK && frame->bytes[stop] != 0) {
            stop++;
        }
        mg_port_put((uint8_t)(stop - start + 1));
        for (uint32_t i = start; i < stop; i++) {
            mg_port_put(frame->bytes[i]);
        }
        start = stop - start == LONGEST_BLOCK ? stop : stop + 1; /* the zero is in the code */
    }
    mg_port_put(0);
}

bool mg_frame_is_sound(const mg_frame *frame) {
    const uint32_t content = frame->length - CHECKSUM;
    uint32_t crc;
    __builtin_memcpy(&crc, frame->bytes + content, CHECKSUM);
    return crc == crc32(frame->bytes, content);
}
