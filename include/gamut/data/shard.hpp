// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <algorithm>
#include <cstddef>

#include <gamut/core/error.hpp>
#include <gamut/core/text.hpp>

namespace gamut::data {

/// Indices begin <= i < end.
struct range {
    std::size_t begin = 0, end = 0;

    std::size_t size() const { return end - begin; }
    friend bool operator==(const range&, const range&) = default;
};

/// Rows cut into shards, shards grouped into blocks, blocks dealt to ranks, all of them contiguous. A shard gives one
/// partial of every global sum; a block gets one local copy of the weights in consensus methods. How many there are
/// follows from the data and the solver's options, never from the number of ranks, which may even exceed the rows:
/// the last step alone, whole blocks to ranks, knows the ranks.
struct partition {
    std::size_t rows = 0, shards = 1, blocks = 1;

    partition() = default;

    /// One shard per 16 rows, at most 64; fewer, though not below 8, when a partial of `columns` doubles per shard would
    /// take more than 256 MiB. blocks = 0: every shard is a block. Throws option_error beyond 4095 blocks.
    partition(std::size_t row_count, std::size_t columns, std::size_t block_count = 0) : rows(row_count) {
        constexpr std::size_t most_blocks = 4095;  // as many partials as an exact sum takes
        constexpr std::size_t budget = (std::size_t(256) << 20) / sizeof(double);
        if (block_count > most_blocks) {
            throw core::option_error(core::text("blocks = ", block_count, " (at most ", most_blocks,
                                                ", for each has its own copy of the weights) use fewer"));
        }
        shards = std::clamp<std::size_t>(rows / 16 + (rows % 16 != 0), 1, 64);
        shards = std::min(shards, std::max<std::size_t>(8, budget / std::max<std::size_t>(columns, 1)));
        blocks = block_count == 0 ? shards : block_count;
        shards = (shards + blocks - 1) / blocks * blocks;
    }

    std::size_t shard_begin(std::size_t shard) const { return rows * shard / shards; }
    std::size_t block_begin_shard(std::size_t block) const { return shards / blocks * block; }
    range shard_rows(std::size_t shard) const { return {shard_begin(shard), shard_begin(shard + 1)}; }
    range block_shards(std::size_t block) const { return {block_begin_shard(block), block_begin_shard(block + 1)}; }
    range block_rows(std::size_t block) const { return rows_in(block_shards(block)); }

    /// What rank `rank` of `ranks` owns.
    range blocks_of(std::size_t rank, std::size_t ranks) const {
        return {blocks * rank / ranks, blocks * (rank + 1) / ranks};
    }
    range shards_of(std::size_t rank, std::size_t ranks) const {
        const range mine = blocks_of(rank, ranks);
        return {block_begin_shard(mine.begin), block_begin_shard(mine.end)};
    }
    range rows_of(std::size_t rank, std::size_t ranks) const { return rows_in(shards_of(rank, ranks)); }

    friend bool operator==(const partition&, const partition&) = default;

private:
    range rows_in(range of_shards) const { return {shard_begin(of_shards.begin), shard_begin(of_shards.end)}; }
};

}  // namespace gamut::data
