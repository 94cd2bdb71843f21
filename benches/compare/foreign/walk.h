// What every rival extracts, as the sum of lengths; the same walk for the two faces of simdjson.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

// The answer to what is no JSON.
constexpr size_t REJECTED = SIZE_MAX;

// Of several references the first that holds pairs counts, else the first.
struct Reference {
    size_t length = 0;
    bool any = false, pairs = false;

    void offer(std::string_view text) {
        bool has_pairs = memchr(text.data(), '=', text.size()) != nullptr;
        if (!any || (has_pairs && !pairs)) {
            length = text.size();
            pairs = has_pairs;
        }
        any = true;
    }
};

inline bool is_header_field(std::string_view name) {
    switch (name.size()) {
        case 5: return name == "POIID";
        case 6: return name == "SaleID";
        case 8: return name == "DeviceID";
        case 9: return name == "ServiceID";
        case 11: return name == "MessageType";
        case 12: return name == "MessageClass";
        case 15: return name == "MessageCategory" || name == "ProtocolVersion";
        default: return false;
    }
}

inline bool is_event_field(std::string_view name) {
    return name == "EventToNotify" || name == "EventDetails" || name == "TimeStamp";
}

inline bool is_response_field(std::string_view name) {
    return name == "Result" || name == "ErrorCondition" || name == "AdditionalResponse";
}

inline bool is_response_body(std::string_view name) {
    constexpr std::string_view ending = "Response";
    return name.size() > ending.size() && name.substr(name.size() - ending.size()) == ending;
}
