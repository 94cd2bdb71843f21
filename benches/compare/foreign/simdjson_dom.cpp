// simdjson, DOM: the parser and its memory are used again for every message.
#include "simdjson.h"
#include "walk.h"

using simdjson::dom::element;
using simdjson::dom::object;

namespace {

std::string_view text(element value) { return value.get_string(); }

size_t texts(object members, bool (*wanted)(std::string_view)) {
    size_t sum = 0;
    for (auto member : members)
        if (wanted(member.key)) sum += text(member.value).size();
    return sum;
}

void references(element display, Reference &reference) {
    for (auto member : object(display)) {
        if (member.key != "DisplayOutput") continue;
        for (object output : simdjson::dom::array(member.value))
            for (auto part : output) {
                if (part.key != "OutputContent") continue;
                for (auto content : object(part.value)) {
                    if (content.key != "PredefinedContent") continue;
                    for (auto field : object(content.value))
                        if (field.key == "ReferenceID") reference.offer(text(field.value));
                }
            }
    }
}

size_t response(element body) {
    size_t sum = 0;
    for (auto member : object(body)) {
        if (member.key == "Response") {
            sum += texts(member.value, is_response_field);
        } else if (member.key == "POIData") {
            for (auto part : object(member.value)) {
                if (part.key != "POITransactionID") continue;
                sum += texts(part.value, [](std::string_view name) { return name == "TransactionID"; });
            }
        }
    }
    return sum;
}

size_t envelope(object members) {
    size_t sum = 0;
    Reference reference;
    for (auto member : members) {
        if (member.key == "MessageHeader") sum += texts(member.value, is_header_field);
        else if (member.key == "EventNotification") sum += texts(member.value, is_event_field);
        else if (member.key == "DisplayRequest") references(member.value, reference);
        else if (is_response_body(member.key)) sum += response(member.value);
    }
    return sum + reference.length;
}

}  // namespace

extern "C" void *rival_simdjson_dom_new() { return new simdjson::dom::parser; }

extern "C" void rival_simdjson_dom_free(void *parser) { delete static_cast<simdjson::dom::parser *>(parser); }

extern "C" size_t rival_simdjson_dom_sum(void *state, const uint8_t *message, size_t length, size_t) {
    static_assert(simdjson::SIMDJSON_PADDING <= 128, "as much as the corpus has behind each message");
    try {
        auto &parser = *static_cast<simdjson::dom::parser *>(state);
        element root = parser.parse(message, length, false);
        if (!root.is_object()) return 0;
        size_t sum = 0;
        for (auto member : object(root))
            if (member.key == "SaleToPOIRequest" || member.key == "SaleToPOIResponse") sum += envelope(member.value);
        return sum;
    } catch (const simdjson::simdjson_error &) {
        return REJECTED;
    }
}
