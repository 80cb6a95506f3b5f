// SPDX-License-Identifier: BSL-1.0
#include <gamut/data/shard.hpp>

#include <boost/test/unit_test.hpp>

#include <cstddef>

using namespace gamut;

namespace {

constexpr std::size_t row_counts[] = {1, 2, 15, 16, 17, 100, 569, 1000, 1023, 1024, 1025, 1'000'003};

}  // namespace

BOOST_AUTO_TEST_SUITE(shard)

BOOST_AUTO_TEST_CASE(ranks_own_all_rows_once_and_in_order) {
    for (const std::size_t rows : row_counts) {
        for (const std::size_t blocks : {0, 1, 3, 4, 100}) {
            const data::partition cut(rows, 30, blocks);
            for (const std::size_t ranks : {1, 2, 3, 5, 8, 200}) {
                std::size_t next_row = 0, next_shard = 0, next_block = 0;
                for (std::size_t rank = 0; rank < ranks; ++rank) {
                    BOOST_TEST(cut.rows_of(rank, ranks).begin == next_row);
                    BOOST_TEST(cut.shards_of(rank, ranks).begin == next_shard);
                    BOOST_TEST(cut.blocks_of(rank, ranks).begin == next_block);
                    next_row = cut.rows_of(rank, ranks).end;
                    next_shard = cut.shards_of(rank, ranks).end;
                    next_block = cut.blocks_of(rank, ranks).end;
                }
                BOOST_TEST(next_row == rows);
                BOOST_TEST(next_shard == cut.shards);
                BOOST_TEST(next_block == cut.blocks);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(blocks_consist_of_whole_shards) {
    for (const std::size_t rows : row_counts) {
        for (const std::size_t blocks : {1, 3, 4, 7, 64, 100}) {
            const data::partition cut(rows, 30, blocks);
            BOOST_TEST(cut.blocks == blocks);
            BOOST_TEST(cut.shards % blocks == 0u);
            for (std::size_t b = 0; b < blocks; ++b) {
                BOOST_TEST(cut.block_rows(b).begin == rows * b / blocks);
                BOOST_TEST(cut.block_rows(b).end == rows * (b + 1) / blocks);
                BOOST_TEST(cut.block_shards(b).size() == cut.shards / blocks);
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(small_data_have_few_shards_and_large_ones_64) {
    BOOST_TEST(data::partition(1, 10).shards == 1u);
    BOOST_TEST(data::partition(16, 10).shards == 1u);
    BOOST_TEST(data::partition(17, 10).shards == 2u);
    BOOST_TEST(data::partition(569, 30).shards == 36u);
    BOOST_TEST(data::partition(1'000'000, 30).shards == 64u);
}

BOOST_AUTO_TEST_CASE(very_many_columns_lower_the_number_of_shards_to_8) {
    BOOST_TEST(data::partition(100'000, std::size_t(1) << 19).shards == 64u);
    BOOST_TEST(data::partition(100'000, std::size_t(1) << 20).shards == 32u);
    BOOST_TEST(data::partition(100'000, std::size_t(1) << 26).shards == 8u);
    BOOST_TEST(data::partition(20, std::size_t(1) << 26).shards == 2u);
}

BOOST_AUTO_TEST_CASE(more_blocks_than_an_exact_sum_takes_are_an_option_error) {
    BOOST_TEST(data::partition(10, 10, 4095).blocks == 4095u);
    BOOST_CHECK_THROW(data::partition(10, 10, 4096), core::option_error);
}

BOOST_AUTO_TEST_SUITE_END()
