// simdjson, On-Demand: it does not look at what is skipped, beyond its quotes and brackets.
#include "simdjson.h"
#include "walk.h"

using simdjson::ondemand::object;
using simdjson::ondemand::value;

namespace {

std::string_view text(value found) { return found.get_string(); }

template <typename Wanted>
size_t texts(object members, Wanted wanted) {
    size_t sum = 0;
    for (auto member : members) {
        std::string_view name = member.escaped_key();
        if (wanted(name)) sum += text(member.value()).size();
    }
    return sum;
}

void references(object display, Reference &reference) {
    for (auto member : display) {
        if (std::string_view(member.escaped_key()) != "DisplayOutput") continue;
        for (object output : simdjson::ondemand::array(member.value()))
            for (auto part : output) {
                if (std::string_view(part.escaped_key()) != "OutputContent") continue;
                for (auto content : object(part.value())) {
                    if (std::string_view(content.escaped_key()) != "PredefinedContent") continue;
                    for (auto field : object(content.value()))
                        if (std::string_view(field.escaped_key()) == "ReferenceID") reference.offer(text(field.value()));
                }
            }
    }
}

size_t response(object body) {
    size_t sum = 0;
    for (auto member : body) {
        std::string_view name = member.escaped_key();
        if (name == "Response") {
            sum += texts(member.value(), is_response_field);
        } else if (name == "POIData") {
            for (auto part : object(member.value())) {
                if (std::string_view(part.escaped_key()) != "POITransactionID") continue;
                sum += texts(part.value(), [](std::string_view name) { return name == "TransactionID"; });
            }
        }
    }
    return sum;
}

size_t envelope(object members) {
    size_t sum = 0;
    Reference reference;
    for (auto member : members) {
        std::string_view name = member.escaped_key();
        if (name == "MessageHeader") sum += texts(member.value(), is_header_field);
        else if (name == "EventNotification") sum += texts(member.value(), is_event_field);
        else if (name == "DisplayRequest") references(member.value(), reference);
        else if (is_response_body(name)) sum += response(member.value());
    }
    return sum + reference.length;
}

}  // namespace

extern "C" void *rival_simdjson_ondemand_new() { return new simdjson::ondemand::parser; }

extern "C" void rival_simdjson_ondemand_free(void *parser) { delete static_cast<simdjson::ondemand::parser *>(parser); }

extern "C" size_t rival_simdjson_ondemand_sum(void *state, const uint8_t *message, size_t length, size_t capacity) {
    try {
        auto &parser = *static_cast<simdjson::ondemand::parser *>(state);
        auto document = parser.iterate(reinterpret_cast<const char *>(message), length, capacity);
        size_t sum = 0;
        for (auto member : object(document)) {
            std::string_view name = member.escaped_key();
            if (name == "SaleToPOIRequest" || name == "SaleToPOIResponse") sum += envelope(member.value());
        }
        return sum;
    } catch (const simdjson::simdjson_error &) {
        return REJECTED;
    }
}
