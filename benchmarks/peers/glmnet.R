# SPDX-License-Identifier: BSL-1.0
# What convex.py runs for glmnet: Rscript glmnet.R FOLDER ROWS COLUMNS ENTRIES FAMILY L1 L2 ALPHA reads the arrays, then lines
# "TOLERANCE STEPS FILE" from stdin; fits, writes the weights into FILE, and prints seconds, processor seconds and memory.
status <- function(name) {
    line <- grep(paste0("^", name), readLines("/proc/self/status"), value = TRUE)
    1024 * as.numeric(strsplit(trimws(sub("^[^:]*:", "", line)), " ")[[1]][1])
}
suppressMessages({library(Matrix); library(glmnet)})
given <- commandArgs(TRUE)
folder <- given[1]
rows <- as.numeric(given[2]); columns <- as.numeric(given[3]); entries <- as.numeric(given[4])
family <- given[5]
l1 <- as.numeric(given[6]); l2 <- as.numeric(given[7]); alpha <- as.numeric(given[8])
before <- status("VmRSS")
read <- function(name, count, what = "double", size = 8) readBin(file.path(folder, name), what, n = count, size = size)
y <- read("y.bin", rows)
if (entries > 0) {
    x <- sparseMatrix(j = read("indices.bin", entries, "integer", 4), p = read("offsets.bin", rows + 1, "integer", 8),
                      x = read("X.bin", entries), dims = c(rows, columns), index1 = FALSE)
    x <- as(x, "CsparseMatrix")
    largest <- max(abs(crossprod(x, if (family == "binomial") y - .5 else y))) / rows
} else {
    x <- matrix(read("X.bin", rows * columns), rows, columns, byrow = TRUE)
    largest <- max(abs(crossprod(x, if (family == "binomial") y - .5 else y))) / rows
}
scale <- 1
if (family == "gaussian") {  # glmnet divides y by its size, which changes the weight of l2: so it is done here
    scale <- sqrt(mean(y^2))
    y <- y / scale
    largest <- largest / scale
    l1 <- l1 / scale
    alpha <- l1 / (l1 + l2)
}
lambda <- l1 + l2
invisible(gc(full = TRUE))
cat("ready\n"); flush(stdout())
input <- file("stdin", "r")
while (length(line <- readLines(input, n = 1)) > 0) {
    asked <- strsplit(line, " ")[[1]]
    steps <- as.numeric(asked[2])
    path <- if (steps > 1) exp(seq(log(largest / alpha), log(lambda), length.out = steps + 1))[-1] else lambda
    cat("5", file = "/proc/self/clear_refs")
    used <- proc.time(); start <- Sys.time()
    fit <- glmnet(x, y, family = family, alpha = alpha, lambda = path, standardize = FALSE, intercept = FALSE,
                  thresh = as.numeric(asked[1]), maxit = 1000000)
    seconds <- as.numeric(Sys.time() - start, units = "secs")
    used <- sum((proc.time() - used)[1:2])
    w <- as.numeric(fit$beta[, ncol(fit$beta)]) * scale
    writeBin(w, asked[3])
    cat(seconds, used, status("VmHWM") - before, "\n"); flush(stdout())
}
