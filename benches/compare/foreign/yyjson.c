// yyjson: its document lies in a pool that is used again for every message.
#include <stdlib.h>
#include <string.h>

#include "yyjson.h"

typedef struct {
    void *pool;
    size_t pool_size;
} state;

typedef struct {
    size_t length;
    bool any, pairs;
} reference;

static bool is(const char *name, size_t length, const char *wanted) {
    return strlen(wanted) == length && memcmp(name, wanted, length) == 0;
}

typedef bool (*choice)(const char *name, size_t length);

static bool is_header_field(const char *name, size_t length) {
    switch (length) {
        case 5: return is(name, length, "POIID");
        case 6: return is(name, length, "SaleID");
        case 8: return is(name, length, "DeviceID");
        case 9: return is(name, length, "ServiceID");
        case 11: return is(name, length, "MessageType");
        case 12: return is(name, length, "MessageClass");
        case 15: return is(name, length, "MessageCategory") || is(name, length, "ProtocolVersion");
        default: return false;
    }
}

static bool is_event_field(const char *name, size_t length) {
    return is(name, length, "EventToNotify") || is(name, length, "EventDetails") || is(name, length, "TimeStamp");
}

static bool is_response_field(const char *name, size_t length) {
    return is(name, length, "Result") || is(name, length, "ErrorCondition") || is(name, length, "AdditionalResponse");
}

static bool is_transaction_id(const char *name, size_t length) { return is(name, length, "TransactionID"); }

static inline size_t texts(yyjson_val *object, choice wanted) {
    size_t sum = 0, at, max;
    yyjson_val *name, *value;
    yyjson_obj_foreach(object, at, max, name, value) {
        if (wanted(yyjson_get_str(name), yyjson_get_len(name)) && yyjson_is_str(value)) sum += yyjson_get_len(value);
    }
    return sum;
}

// The value of a member of an object, or NULL.
static yyjson_val *member(yyjson_val *object, const char *name) { return yyjson_obj_getn(object, name, strlen(name)); }

// Of several references the first that holds pairs counts, else the first.
static void references(yyjson_val *display, reference *found) {
    size_t at, max;
    yyjson_val *output;
    yyjson_arr_foreach(member(display, "DisplayOutput"), at, max, output) {
        yyjson_val *text = member(member(member(output, "OutputContent"), "PredefinedContent"), "ReferenceID");
        if (!yyjson_is_str(text)) continue;
        bool pairs = memchr(yyjson_get_str(text), '=', yyjson_get_len(text)) != NULL;
        if (!found->any || (pairs && !found->pairs)) {
            found->length = yyjson_get_len(text);
            found->pairs = pairs;
        }
        found->any = true;
    }
}

static size_t envelope(yyjson_val *members) {
    reference found = {0};
    size_t sum = 0, at, max;
    yyjson_val *key, *value;
    yyjson_obj_foreach(members, at, max, key, value) {
        const char *name = yyjson_get_str(key);
        size_t length = yyjson_get_len(key);
        if (is(name, length, "MessageHeader")) {
            sum += texts(value, is_header_field);
        } else if (is(name, length, "EventNotification")) {
            sum += texts(value, is_event_field);
        } else if (is(name, length, "DisplayRequest")) {
            references(value, &found);
        } else if (length > 8 && memcmp(name + length - 8, "Response", 8) == 0) {
            sum += texts(member(value, "Response"), is_response_field);
            sum += texts(member(member(value, "POIData"), "POITransactionID"), is_transaction_id);
        }
    }
    return sum + found.length;
}

void *rival_yyjson_new(void) { return calloc(1, sizeof(state)); }

void rival_yyjson_free(void *self) {
    free(((state *)self)->pool);
    free(self);
}

size_t rival_yyjson_sum(void *self, const uint8_t *message, size_t length, size_t capacity) {
    state *state = self;
    (void)capacity;
    size_t needed = yyjson_read_max_memory_usage(length, YYJSON_READ_NOFLAG);
    if (needed > state->pool_size) {
        free(state->pool);
        state->pool = malloc(needed);
        state->pool_size = needed;
    }
    yyjson_alc pool;
    if (!yyjson_alc_pool_init(&pool, state->pool, state->pool_size)) return SIZE_MAX;
    yyjson_doc *document = yyjson_read_opts((char *)message, length, YYJSON_READ_NOFLAG, &pool, NULL);
    if (!document) return SIZE_MAX;
    size_t sum = 0, at, max;
    yyjson_val *key, *value;
    yyjson_obj_foreach(yyjson_doc_get_root(document), at, max, key, value) {
        const char *name = yyjson_get_str(key);
        size_t name_length = yyjson_get_len(key);
        if (is(name, name_length, "SaleToPOIRequest") || is(name, name_length, "SaleToPOIResponse"))
            sum += envelope(value);
    }
    yyjson_doc_free(document);
    return sum;
}
