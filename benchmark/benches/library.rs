//! What is the library's alone: its ways beside each other, where no peer has the like.
//!
//! ```text
//! cargo bench --manifest-path benchmark/Cargo.toml
//! ```
//!
//! `cargo bench … -- map` runs those with `map` in their names. The table beside the peers is the package's program.

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use multiprocessing::{Builder, Pool, SharedBytes, StartMethod};

/// Workers of the pools that are measured.
const WORKERS: usize = 2;

/// Calls of one `map`.
const ITEMS: u64 = 100_000;

/// Bytes that cross in one call.
const BYTES: usize = 1 << 24;

const METHODS: [StartMethod; 2] = [StartMethod::Spawn, StartMethod::ForkServer];

fn main() {
    multiprocessing::init();
    divan::main();
}

fn square(x: u64) -> u64 {
    x * x
}

/// A pool whose workers are all ready.
fn pool() -> Pool {
    let pool = Pool::new(WORKERS).expect("a pool starts");
    pool.map(square, 0..ITEMS).expect("a warm pool");
    pool
}

#[divan::bench(args = METHODS)]
fn start_to_join(bencher: Bencher<'_, '_>, method: StartMethod) {
    let spawn = || Builder::new().start_method(method).spawn(square, 3);
    bencher.bench_local(|| spawn().and_then(|process| process.join()).expect("a square"));
}

#[divan::bench(args = METHODS, sample_count = 30)]
fn pool_up_one_call_and_down(bencher: Bencher<'_, '_>, method: StartMethod) {
    bencher.bench_local(|| {
        let pool = Pool::builder().start_method(method).processes(4).build().expect("a pool starts");
        let square = pool.apply(square, 3).expect("a square");
        pool.join();
        square
    });
}

#[divan::bench]
fn apply(bencher: Bencher<'_, '_>) {
    let pool = pool();
    bencher.bench_local(|| pool.apply(square, 3).expect("a square"));
}

#[divan::bench(args = [1, 16, 256, 4096], sample_count = 20)]
fn map_in_chunks_of(bencher: Bencher<'_, '_>, chunk: usize) {
    let pool = pool();
    let map = || pool.chunks_of(chunk).map(square, 0..ITEMS).expect("all squares");
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(map);
}

#[divan::bench(sample_count = 20)]
fn imap_to_its_end(bencher: Bencher<'_, '_>) {
    let pool = pool();
    let sum =
        || pool.chunks_of(256).imap(square, 0..ITEMS).map(|square| square.expect("a square")).sum::<u64>();
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(sum);
}

#[divan::bench(sample_count = 20)]
fn map_to_words(bencher: Bencher<'_, '_>) {
    let pool = pool();
    let map = || pool.map(|x: u64| x.to_string(), 0..ITEMS).expect("all words");
    bencher.counter(ItemsCount::new(ITEMS)).bench_local(map);
}

#[divan::bench(sample_count = 20)]
fn a_string_there_and_back(bencher: Bencher<'_, '_>) {
    let pool = pool();
    let text = "x".repeat(BYTES);
    let cross = |text: String| pool.apply(|text: String| text, text).expect("the same text");
    bencher.counter(BytesCount::new(2 * BYTES)).with_inputs(|| text.clone()).bench_local_values(cross);
}

#[divan::bench(sample_count = 20)]
fn numbers_there_and_back(bencher: Bencher<'_, '_>) {
    let pool = pool();
    let numbers = vec![0.5; BYTES / size_of::<f64>()];
    let cross =
        |numbers: Vec<f64>| pool.apply(|numbers: Vec<f64>| numbers, numbers).expect("the same numbers");
    bencher.counter(BytesCount::new(2 * BYTES)).with_inputs(|| numbers.clone()).bench_local_values(cross);
}

#[divan::bench(sample_count = 20)]
fn shared_bytes_there_and_back(bencher: Bencher<'_, '_>) {
    let pool = pool();
    let bytes = SharedBytes::copy_from_slice(&vec![7; BYTES]).expect("memory for the bytes");
    let cross = || pool.apply(|bytes: SharedBytes| bytes, bytes.clone()).expect("the same bytes");
    bencher.bench_local(cross);
}
