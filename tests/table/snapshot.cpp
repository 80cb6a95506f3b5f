// SPDX-License-Identifier: BSL-1.0
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tables.hpp"

namespace {

namespace communicator = tables::communicator;
namespace consistency = tables::consistency;
namespace core = tables::core;
namespace table = tables::table;

struct folder {
    folder() {
        std::string name = (std::filesystem::temp_directory_path() / "gamut_table_XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    ~folder() { std::filesystem::remove_all(path); }
    folder(const folder&) = delete;
    folder& operator=(const folder&) = delete;
    std::string file(const std::string& name) const { return (path / name).string(); }
    std::filesystem::path path;
};

std::string bytes_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}
void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}
/// With the checksum that belongs to the bytes before it.
std::string sealed(std::string bytes) {
    bytes.resize(bytes.size() - 8);
    std::uint64_t hash = 14695981039346656037u;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211u;
    for (int k = 0; k < 8; ++k) bytes += static_cast<char>(hash >> (8 * k));
    return bytes;
}

struct counting_mean {  // a user's row: the mean of all updates so far
    std::uint64_t seen = 0;
    std::vector<float> greatest{};

    static constexpr const char* name = "counting_mean";
    void apply(std::span<double> values, std::span<const double> update, std::size_t count) {
        greatest.resize(values.size());
        for (std::size_t j = 0; j < values.size(); ++j) {
            values[j] = (values[j] * static_cast<double>(seen) + update[j]) / static_cast<double>(seen + count);
            greatest[j] = std::max(greatest[j], static_cast<float>(update[j]));
            values[j] += 1e-3 * static_cast<double>(greatest[j]);
        }
        seen += count;
    }
    template <class Visit> void state(Visit&& visit) {
        visit(seen);
        visit(greatest);
    }
};
static_assert(table::SavedRow<counting_mean>);

template <class C, class R>
std::vector<double> first_half(const C& c, const R& row, std::size_t servers, const std::string& path) {
    table::shared t{c, tables::shape(servers), row, consistency::bulk_synchronous{}};
    t.run(8, tables::descend);
    t.save(path);
    t.run(12, tables::descend);
    return t.values();
}
template <class C, class R>
std::vector<double> second_half(const C& c, const R& row, std::size_t servers, const std::string& path) {
    table::shared t{c, tables::shape(servers), row, consistency::bulk_synchronous{}};
    t.run(1, tables::descend);  // forgotten
    t.restore(path);
    if (t.clock() != 8) throw core::error("another clock");
    t.run(12, tables::descend);
    return t.values();
}

template <class R> void goes_on_with_the_same_bits(const R& row) {
    const folder here;
    const auto expected = first_half(communicator::single<>{}, row, 1, here.file("one"));
    const std::string bytes = bytes_of(here.file("one"));
    for (const int ranks : {1, 2, 3, 5})
        for (const std::size_t servers : {1, 2, 4, 7}) {
            const auto works = [&](const auto& c) {
                tables::verdict result;
                result.check(tables::same_bits(first_half(c, row, servers, here.file("many")), expected),
                             "saving changes nothing");
                result.check(tables::same_bits(second_half(c, row, servers, here.file("one")), expected),
                             "what one process saved goes on anywhere");
                return result.text();
            };
            BOOST_TEST(tables::on_sim(ranks, works) == "");
            BOOST_TEST((bytes_of(here.file("many")) == bytes), "the file has other bytes for " << ranks << " ranks");
        }
    BOOST_TEST(tables::on_threads(3, [&](const auto& c) {
                   first_half(c, row, 2, here.file("many"));
                   const bool same = tables::same_bits(second_half(c, row, 3, here.file("many")), expected);
                   return std::string(same ? "" : "other bits");
               }) == "");
}

/// What all ranks hear who try to restore a file into a table of two dense rows of width 3.
std::string refusal(const std::string& path) {
    const auto work = [&](const auto& c) {
        table::shared t{c, {.rows = 2, .width = 3, .servers = 2}, table::descent{}, consistency::bulk_synchronous{}};
        t.set(1, std::vector<double>{1, 2, 3});
        try {
            t.restore(path);
            return std::string("nothing");
        } catch (const core::data_error& problem) {
            if (t.values() != std::vector<double>({0, 0, 0, 1, 2, 3})) return std::string("it changed the table");
            t.run(1, [](auto& me) { me.add(0, std::vector<double>(3, 1)); });  // and it can go on
            return std::string(problem.what());
        }
    };
    const std::string once = work(communicator::single<>{});
    const std::string thrice = tables::on_sim(3, work);
    return thrice == once + once + once ? once : core::text("different words: ", once, " and ", thrice);
}

std::string good_file(const folder& here) {
    const std::string path = here.file("good");
    table::shared t{
        communicator::single<>{}, {.rows = 2, .width = 3}, table::descent{}, consistency::bulk_synchronous{}};
    t.run(3, [](auto& me) {
        me.add(0, std::vector<double>{1, 2, 3});
        me.add(1, std::vector<double>{4, 5, 6});
    });
    t.save(path);
    return path;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(snapshot)

BOOST_AUTO_TEST_CASE(a_run_goes_on_with_the_same_bits_on_other_ranks_and_servers) {
    goes_on_with_the_same_bits(tables::logic);
    goes_on_with_the_same_bits(table::adaptive{});
    goes_on_with_the_same_bits(table::sum{});
    goes_on_with_the_same_bits(counting_mean{});
}

BOOST_AUTO_TEST_CASE(sparse_rows_and_rows_of_very_large_tables_are_saved) {
    const folder here;
    const std::uint64_t last = ~std::uint64_t{0} - 1;
    const table::layout huge{.rows = ~std::uint64_t{0}, .width = ~std::uint64_t{0}, .workers = 2, .servers = 3};
    const table::sparse rows{table::descent{.rate = 1, .momentum = .5}};
    const auto body = [&](auto& me) {
        me.add(last, me.id() + 5, 1.0);
        me.add(me.clock(), last - me.id(), 2.0);
    };
    const auto work = [&](const auto& c) {
        tables::verdict result;
        table::shared whole{c, huge, rows, consistency::bulk_synchronous{}};
        whole.run(3, body);
        whole.save(here.file("sparse"));
        whole.run(2, body);
        auto other = huge;
        other.servers = 5;
        table::shared later{c, other, rows, consistency::bulk_synchronous{}};
        later.restore(here.file("sparse"));
        later.run(2, body);
        for (const std::uint64_t row : {std::uint64_t{0}, std::uint64_t{2}, std::uint64_t{4}, last})
            result.check(whole.row(row) == later.row(row), "a sparse row goes on where it was");
        result.check(whole.row(last).size() == 2, "it has its entries");
        result.check(whole.row(7).empty(), "others are empty");
        return result.text();
    };
    BOOST_TEST(work(communicator::single<>{}) == "");
    BOOST_TEST(tables::on_sim(4, work) == "");
}

BOOST_AUTO_TEST_CASE(tables_of_many_pieces_are_saved) {
    const folder here;
    const table::layout large{
        .rows = 300, .width = 1000, .workers = 2, .servers = 2};  // 2.4 megabytes, in pieces of one
    const auto work = [&](const auto& c) {
        table::shared t{c, large, table::sum{}, consistency::bulk_synchronous{}};
        t.run(1, [](auto& me) {
            for (std::uint64_t row = me.id(); row < 300; row += 2)
                me.add(row, std::vector<double>(1000, static_cast<double>(row + 1)));
        });
        t.save(here.file("large"));
        table::shared u{c, large, table::sum{}, consistency::bulk_synchronous{}};
        u.restore(here.file("large"));
        return std::string(t.values() == u.values() && t.row(299)[999] != 0 ? "" : "other values; ");
    };
    BOOST_TEST(work(communicator::single<>{}) == "");
    BOOST_TEST(tables::on_sim(3, work) == "");
}

BOOST_AUTO_TEST_CASE(broken_files_are_refused_with_a_sentence_and_nothing_changes) {
    const folder here;
    const std::string path = good_file(here), bytes = bytes_of(path), bad = here.file("bad");
    BOOST_TEST(refusal(path) == "nothing");

    BOOST_TEST(refusal(here.file("missing")) ==
               here.file("missing") +
                   ": cannot be opened (No such file or directory) name a file that table::shared::save wrote");
    BOOST_TEST(refusal(here.path.string()) == here.path.string() + ": is no regular file (a table is one) name one");
    write(bad, "some other file, of some other program");
    BOOST_TEST(refusal(bad) ==
               bad + ": is no table (its first bytes say so) name a file that table::shared::save wrote");
    const std::string broken =
        bad + ": is broken, or cut off (its checksum does not match its bytes) use another snapshot";
    for (std::size_t k = 24; k < bytes.size(); k += 7) {  // a bit, anywhere
        std::string flipped = bytes;
        flipped[k] = static_cast<char>(flipped[k] ^ 16);
        write(bad, flipped);
        const std::string said = refusal(bad);
        BOOST_TEST((said == broken || said.find(" is broken (the name of its rows has ") != std::string::npos ||
                    said.find(" numbers are announced (") != std::string::npos),
                   said);
    }
    for (std::size_t length = 0; length < bytes.size(); length += 5) {
        write(bad, bytes.substr(0, length));
        BOOST_TEST(refusal(bad).starts_with(bad + ": "), length);
        BOOST_TEST(refusal(bad) != "nothing", length);
    }
    write(bad, bytes + "x");
    BOOST_TEST(refusal(bad) == broken);
}

BOOST_AUTO_TEST_CASE(files_of_other_versions_machines_and_tables_are_refused) {
    const folder here;
    const std::string path = good_file(here), bytes = bytes_of(path), bad = here.file("bad");
    std::string changed = bytes;
    changed[16] = 2;
    write(bad, sealed(changed));
    BOOST_TEST(refusal(bad) ==
               bad + ": is of version 2 (this library reads version 1) read it with the library that wrote it");
    changed = bytes;
    std::swap(changed[20], changed[23]);
    std::swap(changed[21], changed[22]);
    write(bad, sealed(changed));
    BOOST_TEST(refusal(bad) ==
               bad +
                   ": has the bytes of its numbers in another order (another kind of machine wrote it) read it there");
    {
        table::shared t{
            communicator::single<>{}, {.rows = 2, .width = 3}, table::sum{}, consistency::bulk_synchronous{}};
        t.save(bad);
    }
    BOOST_TEST(refusal(bad) ==
               bad + ": has rows of the kind 'dense sum' (this table's are 'dense descent') make a table of that kind");
    {
        table::shared t{
            communicator::single<>{}, {.rows = 2, .width = 4}, table::descent{}, consistency::bulk_synchronous{}};
        t.save(bad);
    }
    BOOST_TEST(refusal(bad) == bad + ": has 2 rows of width 4 (this table has 2 of 3) make a table of that size");
}

BOOST_AUTO_TEST_CASE(files_with_a_right_checksum_and_wrong_numbers_are_refused) {
    const folder here;
    const std::string path = good_file(here), bytes = bytes_of(path), bad = here.file("bad");
    const std::size_t head = 16 + 4 + 4 + 8 + std::string("dense descent").size() + 4 * 8;
    const auto with = [&](std::size_t at, std::uint64_t number) {
        std::string changed = bytes;
        for (std::size_t k = 0; k < 8; ++k) changed[at + k] = static_cast<char>(number >> (8 * k));
        write(bad, sealed(changed));
        return refusal(bad);
    };
    BOOST_TEST(with(head - 8, 2) == "nothing");  // the right number
    BOOST_TEST(with(head - 8, 1) == bad + ": is broken (2 of 1 rows are there) use another snapshot");
    BOOST_TEST(with(head - 8, 3).starts_with(bad + ": is broken (it has 3 rows in "));
    BOOST_TEST(with(head - 16, ~std::uint64_t{0}).starts_with(bad + ": is broken ("));
    BOOST_TEST(with(head, 7).starts_with(bad + ": is broken (row 7 of "));
    BOOST_TEST(with(head + 16, std::uint64_t{1} << 60).starts_with(bad + ": is broken (row 0 of "));
    BOOST_TEST(with(head + 16, 3).starts_with(bad + ": "));
    BOOST_TEST(
        with(head + 24 + 24, std::uint64_t{1} << 61).starts_with(bad + ": 2305843009213693952 numbers are announced"));
    BOOST_TEST(with(head + 24 + 24, 2).starts_with(bad + ": 8 bytes too many"));
}

BOOST_AUTO_TEST_CASE(a_file_that_cannot_be_written_is_an_error_on_all_ranks) {
    const folder here;
    const auto work = [&](const auto& c) {
        table::shared t{c, {}, table::sum{}, consistency::bulk_synchronous{}};
        t.run(1, [](auto& me) { me.add(0, std::vector<double>{1}); });
        try {
            t.save(here.file("no/such/folder"));
            return std::string("nothing;");
        } catch (const core::error& problem) {
            t.run(1, [](auto& me) { me.add(0, std::vector<double>{1}); });
            const bool right = std::string(problem.what()).find("cannot be created") != std::string::npos;
            return std::string(right && t.row(0)[0] == 2 * c.size() ? "" : "wrong;");
        }
    };
    BOOST_TEST(work(communicator::single<>{}) == "");
    BOOST_TEST(tables::on_sim(3, work) == "");
}

BOOST_AUTO_TEST_SUITE_END()
