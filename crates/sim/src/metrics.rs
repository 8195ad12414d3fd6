//! What an engine counts of itself, as its `/metrics` page says it.

use std::fmt::Write as _;

use schema::units::Nanos;

use crate::discipline::Occupancy;
use crate::engine::Engine;

/// Upper bounds of vLLM's buckets, seconds (`vllm/v1/metrics/buckets.py`, 0.33).
const VLLM_TTFT: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0,
    160.0, 640.0, 2560.0,
];
const VLLM_ITL: &[f64] =
    &[0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0];
const VLLM_REQUEST: &[f64] = &[
    0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 120.0, 240.0, 480.0, 960.0,
    1920.0, 7680.0,
];

/// TGI's duration buckets: 35 bounds from 0.15 ms on, each 1.5 times the one before, up to 146 s.
const TGI_DURATION: &[f64] = &[
    0.00015,
    0.000_225,
    0.000_337_5,
    0.000_506_25,
    0.000_759_375,
    0.001_139_062_5,
    0.001_708_593_75,
    0.002_562_890_625,
    0.003_844_335_937_5,
    0.005_766_503_906,
    0.008_649_755_859,
    0.012_974_633_789,
    0.019_461_950_683,
    0.029_192_926_025,
    0.043_789_389_038,
    0.065_684_083_557,
    0.098_526_125_335,
    0.147_789_188_003,
    0.221_683_782_005,
    0.332_525_673_007,
    0.498_788_509_511,
    0.748_182_764_267,
    1.122_274_146_4,
    1.683_411_219_601,
    2.525_116_829_401,
    3.787_675_244_102,
    5.681_512_866_153,
    8.522_269_299_23,
    12.783_403_948_845,
    19.175_105_923_267,
    28.762_658_884_9,
    43.143_988_327_35,
    64.715_982_491_025,
    97.073_973_736_538,
    145.610_960_604_807,
];
const TGI_TOKENS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10000.0];

/// vLLM's buckets of token counts: 1, 2, 5 and their multiples by ten.
const VLLM_TOKENS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0, 20_000.0, 50_000.0,
    100_000.0,
];

/// A Prometheus histogram.
#[derive(Debug, Clone)]
struct Histogram {
    bounds: &'static [f64],
    /// One more than bounds: the last is beyond all of them.
    counts: Vec<u64>,
    /// Sum of the values, in billionths.
    sum: u64,
}

impl Histogram {
    fn new(bounds: &'static [f64]) -> Self {
        Self { bounds, counts: vec![0; bounds.len() + 1], sum: 0 }
    }

    fn observe(&mut self, value: f64) {
        self.add(value, Nanos::from_secs_f64(value), 1);
    }

    fn observe_time(&mut self, time: Nanos) {
        self.observe_times(time, 1);
    }

    /// Takes in so many times of the same length.
    fn observe_times(&mut self, time: Nanos, count: u32) {
        self.add(time.as_secs_f64(), time, count);
    }

    /// Takes in a value so many times; `billionths` is the same value.
    fn add(&mut self, value: f64, billionths: Nanos, count: u32) {
        let bucket = self.bounds.iter().position(|bound| value <= *bound).unwrap_or(self.bounds.len());
        self.counts[bucket] += u64::from(count);
        self.sum = self.sum.wrapping_add(billionths.0.wrapping_mul(u64::from(count)));
    }

    /// The text form; `labels` are `a="b"` pairs without braces, possibly none.
    fn write(&self, out: &mut String, name: &str, labels: &str) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut total = 0;
        header(out, name, "histogram");
        for (index, count) in self.counts.iter().enumerate() {
            total += count;
            let bound = self.bounds.get(index).map_or("+Inf".to_owned(), |bound| format!("{bound:?}"));
            line(out, format_args!("{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}"));
        }
        let braces = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
        let sum = Nanos(self.sum).as_secs_f64();
        line(out, format_args!("{name}_sum{braces} {sum}"));
        line(out, format_args!("{name}_count{braces} {total}"));
    }
}

/// Times and counts of one finished request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Finished {
    pub(crate) input_tokens: u32,
    /// Of the input tokens, those that were cached.
    pub(crate) cached_tokens: u32,
    pub(crate) output_tokens: u32,
    pub(crate) stopped: bool,
    pub(crate) queue: Nanos,
    pub(crate) prefill: Nanos,
    pub(crate) decode: Nanos,
    pub(crate) e2e: Nanos,
}

/// All that an engine counts. Its threads share it behind a lock: a request changes some twenty numbers, and a lock costs
/// about as much as two that are changed without one.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    engine: Engine,
    requests: u64,
    stopped: u64,
    cut_at_length: u64,
    aborted: u64,
    failed: u64,
    rejected: u64,
    input_tokens: u64,
    cached_tokens: u64,
    output_tokens: u64,
    ttft: Histogram,
    itl: Histogram,
    e2e: Histogram,
    queue: Histogram,
    prefill: Histogram,
    decode: Histogram,
    inference: Histogram,
    per_token: Histogram,
    input_length: Histogram,
    output_length: Histogram,
    computed_length: Histogram,
}

impl Metrics {
    pub(crate) fn new(engine: Engine) -> Self {
        let request = if engine == Engine::Tgi { TGI_DURATION } else { VLLM_REQUEST };
        let per_token = if engine == Engine::Tgi { TGI_DURATION } else { VLLM_ITL };
        let lengths = if engine == Engine::Tgi { TGI_TOKENS } else { VLLM_TOKENS };
        Self {
            engine,
            requests: 0,
            stopped: 0,
            cut_at_length: 0,
            aborted: 0,
            failed: 0,
            rejected: 0,
            input_tokens: 0,
            cached_tokens: 0,
            output_tokens: 0,
            ttft: Histogram::new(VLLM_TTFT),
            itl: Histogram::new(VLLM_ITL),
            e2e: Histogram::new(request),
            queue: Histogram::new(request),
            prefill: Histogram::new(request),
            decode: Histogram::new(request),
            inference: Histogram::new(request),
            per_token: Histogram::new(per_token),
            input_length: Histogram::new(lengths),
            output_length: Histogram::new(lengths),
            computed_length: Histogram::new(lengths),
        }
    }

    /// A request to generate came in.
    pub(crate) const fn requested(&mut self) {
        self.requests += 1;
    }

    /// One was refused for want of room.
    pub(crate) const fn rejected(&mut self) {
        self.rejected += 1;
    }

    /// One was refused as it stood.
    pub(crate) const fn failed(&mut self) {
        self.failed += 1;
    }

    /// One whose client left.
    pub(crate) const fn aborted(&mut self) {
        self.aborted += 1;
    }

    /// Its first event left, of `tokens`, so long after its arrival; its prompt, in part cached, has been read.
    pub(crate) fn first_event(&mut self, ttft: Nanos, tokens: u32, input_tokens: u32, cached_tokens: u32) {
        self.ttft.observe_time(ttft);
        self.input_tokens += u64::from(input_tokens);
        self.cached_tokens += u64::from(cached_tokens);
        self.output_tokens += u64::from(tokens);
    }

    /// So many events of `tokens` each left, each so long after the one before.
    pub(crate) fn events(&mut self, gap: Nanos, count: u32, tokens: u32) {
        self.output_tokens += u64::from(count) * u64::from(tokens);
        self.itl.observe_times(gap, count);
    }

    /// A request came to its end.
    pub(crate) fn finished(&mut self, request: &Finished) {
        let by_reason = if request.stopped { &mut self.stopped } else { &mut self.cut_at_length };
        *by_reason += 1;
        let inference = request.prefill + request.decode;
        self.e2e.observe_time(request.e2e);
        self.queue.observe_time(request.queue);
        self.prefill.observe_time(request.prefill);
        self.decode.observe_time(request.decode);
        self.inference.observe_time(inference);
        let (span, tokens) = match self.engine {
            // TGI's mean takes the first token in, vLLM's leaves it out.
            Engine::Tgi => (inference, request.output_tokens),
            _ => (request.decode, request.output_tokens.saturating_sub(1)),
        };
        self.per_token.observe(span.as_secs_f64() / f64::from(tokens.max(1)));
        self.input_length.observe(f64::from(request.input_tokens));
        self.output_length.observe(f64::from(request.output_tokens));
        self.computed_length.observe(f64::from(request.input_tokens - request.cached_tokens));
    }

    /// The `/metrics` page of the engine, for those that have one.
    pub(crate) fn page(&self, model: &str, occupancy: &Occupancy) -> Option<String> {
        match self.engine {
            Engine::Vllm => Some(self.vllm(model, occupancy)),
            Engine::Tgi => Some(self.tgi(occupancy)),
            Engine::Ollama | Engine::OpenAi => None,
        }
    }

    fn vllm(&self, model: &str, occupancy: &Occupancy) -> String {
        let model = model.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels = format!("engine=\"0\",model_name=\"{model}\"");
        let mut out = String::with_capacity(16 << 10);
        let gauges = [
            ("vllm:num_requests_running", occupancy.running as f64),
            ("vllm:num_requests_waiting", occupancy.waiting as f64),
            ("vllm:kv_cache_usage_perc", occupancy.cache_usage),
        ];
        for (name, value) in gauges {
            header(&mut out, name, "gauge");
            line(&mut out, format_args!("{name}{{{labels}}} {value:?}"));
        }
        let counters = [
            ("vllm:num_preemptions_total", occupancy.preemptions),
            ("vllm:prompt_tokens_total", self.input_tokens),
            ("vllm:generation_tokens_total", self.output_tokens),
            ("vllm:prefix_cache_queries_total", self.input_tokens),
            ("vllm:prefix_cache_hits_total", self.cached_tokens),
            ("vllm:prompt_tokens_cached_total", self.cached_tokens),
        ];
        for (name, value) in counters {
            header(&mut out, name, "counter");
            line(&mut out, format_args!("{name}{{{labels}}} {value}.0"));
        }
        self.vllm_sources(&mut out, &model);
        header(&mut out, "vllm:request_success_total", "counter");
        for (reason, count) in [("stop", self.stopped), ("length", self.cut_at_length), ("abort", self.aborted)] {
            let labels = format!("engine=\"0\",finished_reason=\"{reason}\",model_name=\"{model}\"");
            line(&mut out, format_args!("vllm:request_success_total{{{labels}}} {count}.0"));
        }
        header(&mut out, "vllm:admission_rejections_total", "counter");
        let reason = format!("model_name=\"{model}\",reason=\"max_num_queued_reqs\"");
        line(&mut out, format_args!("vllm:admission_rejections_total{{{reason}}} {}.0", self.rejected));
        for (name, histogram) in [
            ("vllm:time_to_first_token_seconds", &self.ttft),
            ("vllm:inter_token_latency_seconds", &self.itl),
            ("vllm:request_time_per_output_token_seconds", &self.per_token),
            ("vllm:e2e_request_latency_seconds", &self.e2e),
            ("vllm:request_queue_time_seconds", &self.queue),
            ("vllm:request_prefill_time_seconds", &self.prefill),
            ("vllm:request_decode_time_seconds", &self.decode),
            ("vllm:request_inference_time_seconds", &self.inference),
            ("vllm:request_prompt_tokens", &self.input_length),
            ("vllm:request_generation_tokens", &self.output_length),
            ("vllm:request_prefill_kv_computed_tokens", &self.computed_length),
        ] {
            histogram.write(&mut out, name, &labels);
        }
        out
    }

    /// Where prompt tokens came from: computed here or found in the cache.
    fn vllm_sources(&self, out: &mut String, model: &str) {
        let all = self.input_tokens;
        let cached = self.cached_tokens;
        let name = "vllm:prompt_tokens_by_source_total";
        header(out, name, "counter");
        for (source, count) in [("local_compute", all.saturating_sub(cached)), ("local_cache_hit", cached)] {
            line(out, format_args!("{name}{{engine=\"0\",model_name=\"{model}\",source=\"{source}\"}} {count}.0"));
        }
    }

    fn tgi(&self, occupancy: &Occupancy) -> String {
        let mut out = String::with_capacity(16 << 10);
        let succeeded = self.stopped + self.cut_at_length;
        for (name, value) in [("tgi_request_count", self.requests), ("tgi_request_success", succeeded)] {
            header(&mut out, name, "counter");
            line(&mut out, format_args!("{name} {value}"));
        }
        header(&mut out, "tgi_request_failure", "counter");
        for (reason, count) in [("validation", self.failed), ("dropped", self.aborted), ("overloaded", self.rejected)] {
            line(&mut out, format_args!("tgi_request_failure{{err=\"{reason}\"}} {count}"));
        }
        for (name, value) in [("tgi_batch_current_size", occupancy.running), ("tgi_queue_size", occupancy.waiting)] {
            header(&mut out, name, "gauge");
            line(&mut out, format_args!("{name} {value}"));
        }
        for (name, histogram) in [
            ("tgi_request_duration", &self.e2e),
            ("tgi_request_queue_duration", &self.queue),
            ("tgi_request_inference_duration", &self.inference),
            ("tgi_request_mean_time_per_token_duration", &self.per_token),
            ("tgi_request_input_length", &self.input_length),
            ("tgi_request_generated_tokens", &self.output_length),
        ] {
            histogram.write(&mut out, name, "");
        }
        out
    }
}

fn header(out: &mut String, name: &str, kind: &str) {
    line(out, format_args!("# TYPE {name} {kind}"));
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(out, "{text}").expect("a string takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_upwards_and_ends_with_all() {
        static BOUNDS: &[f64] = &[0.5, 1.0];
        let mut histogram = Histogram::new(BOUNDS);
        for value in [0.25, 0.5, 0.75, 9.0] {
            histogram.observe(value);
        }
        let mut out = String::new();
        histogram.write(&mut out, "x", "a=\"b\"");
        insta::assert_snapshot!(out, @r#"
        # TYPE x histogram
        x_bucket{a="b",le="0.5"} 2
        x_bucket{a="b",le="1.0"} 3
        x_bucket{a="b",le="+Inf"} 4
        x_sum{a="b"} 10.5
        x_count{a="b"} 4
        "#);
    }

    #[test]
    fn a_models_name_cannot_break_the_page() {
        let page = Metrics::new(Engine::Vllm).page("a\"} 1\nb", &Occupancy::default()).unwrap();
        assert!(page.contains(r#"model_name="a\"} 1\nb""#));
    }

    #[test]
    fn tgi_buckets_grow_by_half() {
        for pair in TGI_DURATION.windows(2) {
            assert!((pair[1] / pair[0] - 1.5).abs() < 1e-6, "{pair:?}");
        }
    }
}
