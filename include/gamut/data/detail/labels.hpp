// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <gamut/core/error.hpp>
#include <gamut/core/is_utf8.hpp>
#include <gamut/core/stable_sort.hpp>
#include <gamut/core/text.hpp>
#include <gamut/data/concept.hpp>
#include <gamut/data/detail/decimal.hpp>
#include <gamut/data/detail/problems.hpp>

namespace gamut::data::detail {

/// Class labels as a rank meets them, numbered as they come; then the classes that all ranks agree on. Labels that are
/// the same number, digit for digit ("1", "+1", "1.0", "01"), are the same class, unless some label anywhere is no number.
class label_table {
public:
    static constexpr std::size_t most_classes = 10'000, longest_label = 256;
    static constexpr std::size_t unknown = static_cast<std::size_t>(-1), not_utf8 = unknown - 1;  // instead of an id

    /// `known`: a fitted model's classes; then labels are numbered by them and others are unknown.
    [[gnu::cold]] label_table(std::string source_name, const std::vector<std::string>& known)
        : source(std::move(source_name)),
          closed(!known.empty()),
          classes(known) {
        for (const auto& name : known) numbers = numbers && decimal::of(name);
        for (std::size_t k = 0; k < known.size(); ++k) ids.emplace(canonical(known[k]), k);
    }

    std::size_t id(std::string_view label) {
        if (const auto known = ids.find(label); known != ids.end()) return known->second;
        if (closed) {
            const auto same = ids.find(canonical(label));
            if (same == ids.end()) return unknown;
            return ids.emplace(label, same->second).first->second;
        }
        if (seen.size() == most_classes) complain_of_too_many(seen.size() + 1, 0);
        if (label.size() > longest_label) {
            throw core::data_error(core::text(source, ": label ", in_quotes(label), " is ", label.size(),
                                              " bytes long (at most ", longest_label,
                                              " for the name of a class) choose another label column"));
        }
        if (!core::is_utf8(label)) return not_utf8;
        seen.emplace_back(label);
        return ids.emplace(label, ids.size()).first->second;
    }

    /// What is wrong with a label that has no id.
    [[gnu::cold]] std::string refused_label(std::size_t why, std::string_view label) const {
        if (why == not_utf8)
            return core::text("label ", in_quotes(label),
                              " is not UTF-8 (Latin-1?) convert it, for instance with iconv");
        return core::text("label ", in_quotes(label), " is unknown (the model's classes are ", listed(classes),
                          ") remove the row, or fit a model with this class");
    }

    /// Collective: the classes, the same on every rank whichever rank saw which label. `rows`: of the whole source.
    template <communicator::Communicator C>
    [[gnu::cold]] std::vector<std::string> agree(const C& ranks, std::size_t rows) {
        if (closed) return classes;
        std::string mine;
        for (const auto& label : seen) mine += core::text(label.size(), " ", label);
        std::vector<std::string> all;
        for (const auto& text : gather_texts(ranks, mine)) {
            for (std::size_t begin = 0; begin < text.size();) {
                const std::size_t space = text.find(' ', begin);
                std::size_t length = 0;
                std::from_chars(text.data() + begin, text.data() + space, length);
                all.push_back(text.substr(space + 1, length));
                begin = space + 1 + length;
            }
        }
        numbers = std::all_of(all.begin(), all.end(),
                              [](const std::string& label) { return decimal::of(label).has_value(); });
        for (auto& label : all) label = canonical(label);
        core::stable_sort(all, [this](const std::string& a, const std::string& b) { return before(a, b); });
        all.erase(std::unique(all.begin(), all.end()), all.end());
        if (all.size() > most_classes || (all.size() > 50 && all.size() > rows / 3))
            complain_of_too_many(all.size(), rows);
        classes = std::move(all);
        return classes;
    }

    /// The class of each id, after `agree`.
    [[gnu::cold]] std::vector<std::size_t> class_of_id() const {
        std::vector<std::size_t> of_id;
        for (const auto& label : seen) {
            const auto place =
                std::lower_bound(classes.begin(), classes.end(), canonical(label),
                                 [this](const std::string& a, const std::string& b) { return before(a, b); });
            of_id.push_back(static_cast<std::size_t>(place - classes.begin()));
        }
        return of_id;
    }

    /// From ids to classes.
    template <class T> void rename(std::vector<T>& y) const {
        if (closed) return;
        const auto of_id = class_of_id();
        for (T& label : y) label = static_cast<T>(of_id[static_cast<std::size_t>(label)]);
    }

private:
    struct text_hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };

    [[gnu::cold]] std::string canonical(std::string_view label) const {
        const auto number = numbers ? decimal::of(label) : std::nullopt;
        return number ? number->text() : std::string(label);
    }
    [[gnu::cold]] bool before(const std::string& a, const std::string& b) const {
        return numbers ? *decimal::of(a) < *decimal::of(b) : a < b;
    }
    [[noreturn, gnu::cold]] void complain_of_too_many(std::size_t count, std::size_t rows) const {
        const auto how_many = count > most_classes ? core::text("more than ", most_classes, " different labels")
                                                   : core::text(count, " different labels in ", rows, " rows");
        throw core::data_error(core::text(source, ": ", how_many,
                                          " (the label column looks continuous, or like a name) "
                                          "choose another label column, or a regression model"));
    }

    std::string source;
    bool closed, numbers = true;
    std::vector<std::string> classes, seen;
    std::unordered_map<std::string, std::size_t, text_hash, std::equal_to<>> ids;
};

/// Collective, after the rows are read: turns the ids in y into classes, and returns the names of these.
template <communicator::Communicator C, class T>
[[gnu::cold]] std::vector<std::string> finish_labels(const C& ranks, label_table& labels, const request& wanted,
                                                     std::size_t rows, std::vector<T>& y) {
    if (!wanted.classification || !wanted.labels)
        return wanted.classification ? wanted.classes : std::vector<std::string>();
    auto classes = labels.agree(ranks, rows);
    labels.rename(y);
    return classes;
}

}  // namespace gamut::data::detail
