# Every command we type. `just` lists them.

# This list.
default:
    @just --list --unsorted

# Formatting, lints, licences and bans.
check:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo deny --locked check --hide-inclusion-graph licenses bans sources

# The everyday tests.
test *ARGS:
    cargo nextest run --workspace --locked {{ ARGS }}

# The tests that take long: soak runs and big sweeps.
test-slow *ARGS:
    cargo nextest run --workspace --locked --run-ignored only --no-tests pass {{ ARGS }}

# Look at changed snapshots and accept or refuse them.
snap:
    cargo insta test --workspace --review --test-runner nextest

# Fuzz one parser: a target of `cargo fuzz list`, for SECONDS.
fuzz TARGET SECONDS="60":
    cargo +nightly fuzz run {{ TARGET }} -- -max_total_time={{ SECONDS }}

# Micro-benchmarks: events decoded a second.
bench *ARGS:
    cargo bench -p wire --bench decode -- {{ ARGS }}

# How late the pacer wakes on this machine.
pacing:
    cargo run --release -p load --example pacing

# Error of TTFT and ITL against the simulator's own log; figures go to docs/performance.md.
accuracy:
    cargo bench -p speed-kings --bench accuracy

# Memory and CPU at 1,000 and 10,000 streams against the simulator; figures go to docs/performance.md.
scale:
    cargo bench -p speed-kings --bench scale

# 10,000 streams for DURATION: memory, records, descriptors.
soak DURATION="10m":
    cargo bench -p speed-kings --bench soak -- {{ DURATION }}

# What one CPU second of the client carries, beside other load generators, and short answers in ROUNDS beside oha; figures go to docs/performance.md.
bench-load ROUNDS="20":
    cargo bench -p speed-kings --bench load -- {{ ROUNDS }}

# Whether searches find what a simulated engine is known to carry; figures go to docs/performance.md.
search:
    cargo bench -p speed-kings --bench search

# How often 95 % intervals hold the truth, over a thousand simulated experiments a cell; figures go to docs/statistics.md.
coverage:
    cargo bench -p stats --bench coverage

# How often verdicts are wrong, and what it takes for one, over a thousand experiments; figures go to docs/statistics.md.
verdicts:
    cargo bench -p stats --bench verdicts

# How often noise fails a gate, and how often a planted regression does; figures go to docs/regressions.md.
gate-nulls:
    cargo bench -p stats --bench gate

# The numbers of a million requests, and a list and a trend of a thousand runs; figures go to docs/performance.md.
history:
    cargo bench -p speed-kings --bench history

# The same runs with and without a screen, in PAIRS of each: whether drawing changes figures; they go to docs/performance.md.
theatre PAIRS="12":
    cargo bench -p speed-kings --bench theatre -- {{ PAIRS }}

# A simulated engine as a server.
sim ENGINE="vllm" *ARGS:
    cargo run --release -- sim --engine {{ ENGINE }} {{ ARGS }}

# All simulated engines measured, as a person would see it.
demo *ARGS:
    cargo run --release -- benchmark --mock {{ ARGS }}

# The documentation of all rooms.
docs *ARGS:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --document-private-items {{ ARGS }}

# Write schemas/ anew from the types.
schemas:
    UPDATE_SCHEMAS=1 cargo test -p store --locked the_published_schemas

# Exactly what CI runs.
ci:
    bash .ci/run
