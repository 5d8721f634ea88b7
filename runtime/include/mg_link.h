/* The link over which a host drives a model. docs/protocol.md describes it. */
#ifndef MG_LINK_H
#define MG_LINK_H

#include <stdbool.h>

#include "mcugrad.h"

#define MG_LINK_VERSION 1
#define MG_LINK_PAYLOAD 512

/* Sequence number, type and checksum around a payload. */
#define MG_FRAME_HEADER 3
#define MG_FRAME_BYTES  (MG_FRAME_HEADER + MG_LINK_PAYLOAD + 4)

typedef enum {
    MG_HELLO = 0x01,
    MG_PUT = 0x02,
    MG_INFER = 0x03,
    MG_TRAIN = 0x04,
    MG_EVALUATE = 0x05,
    MG_READ = 0x06,
    MG_WRITE = 0x07,
    MG_RESET = 0x08,
    MG_STATISTICS = 0x09,
    MG_TRACED = 0x40,  /* part of a tensor, sent while a traced step runs */
    MG_REFUSED = 0x41, /* a frame that could not be taken */
    MG_ANSWER = 0x80,  /* added to the request's type */
} mg_message;

/* First byte of an answer; below 16 it is an mg_status. */
typedef enum {
    MG_LINK_OK = 0,
    MG_LINK_BROKEN = 16,   /* not COBS, too short or too long */
    MG_LINK_CHECKSUM = 17, /* the checksum is not that of the content */
    MG_LINK_SEQUENCE = 18, /* neither the next frame nor the last one again */
    MG_LINK_TYPE = 19,     /* no such message */
    MG_LINK_LENGTH = 20,   /* the payload's length does not fit the message */
    MG_LINK_RANGE = 21,    /* no such tensor or class, or bytes outside of it */
    MG_LINK_READ_ONLY = 22,
} mg_link_status;

/* A frame, received or to be sent: sequence number, type, payload, checksum. */
typedef struct {
    uint8_t bytes[MG_FRAME_BYTES];
    uint32_t length;
} mg_frame;

/* Takes COBS apart byte by byte. */
typedef struct {
    mg_frame frame;
    uint8_t left;     /* bytes until the next code */
    bool zero_is_due; /* the block that ended stands for a zero too */
    bool too_long;
} mg_decoder;

typedef enum { MG_MORE, MG_WHOLE, MG_NOT_COBS } mg_decoded;

/* After MG_WHOLE or MG_NOT_COBS the frame is valid until the next call. */
mg_decoded mg_decode(mg_decoder *decoder, uint8_t byte);
void mg_frame_start(mg_frame *frame, uint16_t sequence, uint8_t type);
void mg_frame_append(mg_frame *frame, const void *content, uint32_t bytes);
void mg_frame_send(mg_frame *frame); /* with its checksum, which it adds */
bool mg_frame_is_sound(const mg_frame *frame);

typedef struct {
    mg_model model;
    void *output; /* the last prediction */
    mg_decoder decoder;
    mg_frame answer; /* kept, to be sent again when it was lost; empty: there was none */
    uint16_t next;   /* sequence number */
    uint32_t evaluated, correct, refused;
    uint64_t infer_count, step_count;
} mg_link;

/* output: memory for one prediction. */
mg_status mg_link_init(mg_link *link, const mg_block *blocks, size_t count, void *output);

/* Takes one byte from the host and answers when it completes a request. */
void mg_link_receive(mg_link *link, uint8_t byte);

#endif
