//! Pages of real engines, and such as their sources say they are.

use std::fs;
use std::path::Path;

use schema::metric::Metric;
use schema::server::{Counter, GpuSample, Histogram, ServerSample};

use super::{PAGE_BYTES, PageError, server_sample};

/// The body of a captured response.
fn captured(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(path);
    let text = fs::read_to_string(path).unwrap();
    text.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn read(page: &str) -> ServerSample {
    server_sample(page).unwrap()
}

/// What a sample says, without its buckets.
fn shown(sample: &ServerSample) -> String {
    let mut lines = vec![format!(
        "{} running {:?} waiting {:?} kv {:?}",
        sample.engine, sample.running, sample.waiting, sample.kv_usage
    )];
    lines.extend(sample.counters.iter().map(|(counter, value)| format!("{counter:?} {value}")));
    let histogram = |(metric, h): (&Metric, &Histogram)| {
        format!("{metric}: {} values, {:.6} s, {} bounds", h.count, h.sum / 1e9, h.bounds.len())
    };
    lines.extend(sample.histograms.iter().map(histogram));
    lines.join("\n")
}

#[test]
fn a_page_of_vllm() {
    insta::assert_snapshot!(shown(&read(&captured("vllm-0.32.0/metrics-during.raw"))), @r"
    vllm running Some(6.0) waiting Some(0.0) kv Some(0.016528925619834656)
    PromptTokens 1102
    GeneratedTokens 513
    PrefixQueriedTokens 1102
    PrefixHitTokens 0
    Preemptions 0
    Requests 29
    ITL: 478 values, 96.630444 s, 19 bounds
    TPOT: 29 values, 6.414813 s, 19 bounds
    Server queue: 29 values, 0.000781 s, 21 bounds
    Server prefill: 29 values, 34.804947 s, 21 bounds
    Server decode: 29 values, 94.760365 s, 21 bounds
    Server TTFT: 35 values, 41.578572 s, 22 bounds
    Server total: 29 values, 129.810541 s, 21 bounds
    ");
}

#[test]
fn a_page_of_llama_cpp_whose_prompt_tokens_are_with_the_cached_ones() {
    insta::assert_snapshot!(shown(&read(&captured("llamacpp-b11434/metrics-after.raw"))), @r"
    llamacpp running Some(0.0) waiting Some(0.0) kv None
    PromptTokens 1974
    GeneratedTokens 902
    PrefixQueriedTokens 1974
    PrefixHitTokens 1024
    PrefillSeconds 49.4456
    DecodeSeconds 243.455
    ");
}

#[test]
fn a_page_of_tgi() {
    insta::assert_snapshot!(shown(&read(&captured("tgi-3.3.6-dev0-llamacpp/metrics-after.raw"))), @r"
    tgi running None waiting None kv None
    PromptTokens 1052
    GeneratedTokens 632
    Requests 45
    TPOT: 36 values, 2.466610 s, 35 bounds
    Server queue: 36 values, 8.843682 s, 35 bounds
    Server total: 36 values, 47.627303 s, 35 bounds
    ");
}

/// As `metrics_collector.py` says: two ranks, streaming and not.
const SGLANG: &str = r#"
# TYPE sglang:num_running_reqs gauge
sglang:num_running_reqs{engine_type="unified",model_name="m",tp_rank="0",dp_rank="0"} 3.0
sglang:num_running_reqs{engine_type="unified",model_name="m",tp_rank="0",dp_rank="1"} 4.0
sglang:num_queue_reqs{engine_type="unified",model_name="m",tp_rank="0",dp_rank="0"} 1.0
sglang:token_usage{engine_type="unified",model_name="m",tp_rank="0",dp_rank="0"} 0.25
sglang:token_usage{engine_type="unified",model_name="m",tp_rank="0",dp_rank="1"} 0.75
sglang:prompt_tokens_total{is_streaming="true",model_name="m"} 1000.0
sglang:prompt_tokens_total{is_streaming="false",model_name="m"} 200.0
sglang:generation_tokens_total{is_streaming="true",model_name="m"} 500.0
sglang:cached_tokens_total{cache_source="device",model_name="m"} 77.0
sglang:prefill_effective_tokens_total{mode="device_hit",model_name="m"} 300.0
sglang:prefill_effective_tokens_total{mode="host_hit",model_name="m"} 100.0
sglang:prefill_effective_tokens_total{mode="input",model_name="m"} 600.0
sglang:num_retracted_requests_total{model_name="m"} 2.0
sglang:num_requests_total{is_streaming="true",model_name="m"} 20.0
sglang:time_to_first_token_seconds_bucket{is_streaming="true",le="0.1",model_name="m"} 5.0
sglang:time_to_first_token_seconds_bucket{is_streaming="true",le="+Inf",model_name="m"} 20.0
sglang:time_to_first_token_seconds_count{is_streaming="true",model_name="m"} 20.0
sglang:time_to_first_token_seconds_sum{is_streaming="true",model_name="m"} 4.5
sglang:time_to_first_token_seconds_bucket{is_streaming="false",le="0.1",model_name="m"} 1.0
sglang:time_to_first_token_seconds_bucket{is_streaming="false",le="+Inf",model_name="m"} 2.0
sglang:time_to_first_token_seconds_count{is_streaming="false",model_name="m"} 2.0
sglang:time_to_first_token_seconds_sum{is_streaming="false",model_name="m"} 0.5
sglang:per_stage_req_latency_seconds_bucket{stage="prefill_forward",le="+Inf"} 22.0
sglang:per_stage_req_latency_seconds_count{stage="prefill_forward"} 22.0
sglang:per_stage_req_latency_seconds_sum{stage="prefill_forward"} 3.25
sglang:per_stage_req_latency_seconds_bucket{stage="request_process",le="+Inf"} 22.0
sglang:per_stage_req_latency_seconds_count{stage="request_process"} 22.0
sglang:per_stage_req_latency_seconds_sum{stage="request_process"} 9.25
sglang:queue_time_seconds_bucket{le="+Inf"} 22.0
sglang:queue_time_seconds_count 22.0
sglang:queue_time_seconds_sum 0.25
"#;

#[test]
fn a_page_of_sglang_with_two_ranks() {
    let sample = read(SGLANG);
    insta::assert_snapshot!(shown(&sample), @r"
    sglang running Some(7.0) waiting Some(1.0) kv Some(0.75)
    PromptTokens 1200
    GeneratedTokens 500
    PrefixQueriedTokens 1000
    PrefixHitTokens 400
    Preemptions 2
    Requests 20
    Server queue: 22 values, 0.250000 s, 0 bounds
    Server prefill: 22 values, 3.250000 s, 0 bounds
    Server TTFT: 22 values, 5.000000 s, 1 bounds
    ");
    assert_eq!(
        sample.histograms[&Metric::ServerTtft],
        Histogram { bounds: vec![1e8], counts: vec![6], count: 22, sum: 5e9 }
    );
}

#[test]
fn colons_may_have_become_underscores_on_the_way() {
    assert_eq!(read(&SGLANG.replace("sglang:", "sglang_")), read(SGLANG));
    let vllm = captured("vllm-0.32.0/metrics-after.raw");
    assert_eq!(read(&vllm.replace("vllm:", "vllm_")), read(&vllm));
}

#[test]
fn a_page_of_tensorrt_llm() {
    let page = r#"
trtllm_request_success_total{model_name="m",finished_reason="stop"} 7
trtllm_request_error_total{model_name="m"} 1
trtllm_prompt_tokens_total{model_name="m"} 400
trtllm_prompt_cached_tokens_total{model_name="m"} 100
trtllm_generation_tokens_total{model_name="m"} 800
trtllm_num_requests_running{model_name="m"} 2
trtllm_kv_cache_utilization{model_name="m"} 0.5
trtllm_time_per_output_token_seconds_bucket{le="0.01"} 3
trtllm_time_per_output_token_seconds_bucket{le="+Inf"} 7
trtllm_time_per_output_token_seconds_sum 0.25
trtllm_time_per_output_token_seconds_count 7
"#;
    insta::assert_snapshot!(shown(&read(page)), @r"
    trtllm running Some(2.0) waiting None kv Some(0.5)
    PromptTokens 400
    GeneratedTokens 800
    PrefixQueriedTokens 400
    PrefixHitTokens 100
    Requests 8
    TPOT: 7 values, 0.250000 s, 1 bounds
    ");
}

#[test]
fn replicas_add_up_and_the_fullest_cache_counts() {
    let page = r#"
vllm:num_requests_waiting{engine="0"} 2
vllm:num_requests_waiting{engine="1"} 5
vllm:kv_cache_usage_perc{engine="0"} 0.9
vllm:kv_cache_usage_perc{engine="1"} 0.1
vllm:generation_tokens_total{engine="0"} 10
vllm:generation_tokens_total{engine="1"} 20
"#;
    let sample = read(page);
    assert_eq!((sample.waiting, sample.kv_usage), (Some(7.0), Some(0.9)));
    assert_eq!(sample.counters.get(&Counter::GeneratedTokens), Some(&30.0));
}

#[test]
fn a_quantity_under_an_old_and_a_new_name_counts_once_in_either_order() {
    let old =
        "vllm:gpu_prefix_cache_hits_total 7\nvllm:gpu_cache_usage_perc 0.7\nvllm:gpu_prefix_cache_queries_total 8\n";
    let new = "vllm:prefix_cache_hits_total 9\nvllm:kv_cache_usage_perc 0.5\nvllm:prefix_cache_queries_total 12\n";
    for page in [format!("{old}{new}"), format!("{new}{old}"), new.to_owned()] {
        let sample = read(&page);
        assert_eq!((sample.counters[&Counter::PrefixHitTokens], sample.kv_usage), (9.0, Some(0.5)), "{page}");
    }
    let sample = read(old);
    assert_eq!((sample.counters[&Counter::PrefixHitTokens], sample.kv_usage), (7.0, Some(0.7)));
}

#[test]
fn of_replicas_with_different_buckets_only_the_common_ones_count() {
    let page = r#"
vllm:e2e_request_latency_seconds_bucket{engine="0",le="1"} 1
vllm:e2e_request_latency_seconds_bucket{engine="0",le="2"} 2
vllm:e2e_request_latency_seconds_bucket{engine="0",le="+Inf"} 3
vllm:e2e_request_latency_seconds_bucket{engine="1",le="2"} 4
vllm:e2e_request_latency_seconds_bucket{engine="1",le="+Inf"} 5
vllm:e2e_request_latency_seconds_sum{engine="0"} 3
vllm:e2e_request_latency_seconds_sum{engine="1"} 5
"#;
    let expected = Histogram { bounds: vec![2e9], counts: vec![6], count: 8, sum: 8e9 };
    assert_eq!(read(page).histograms[&Metric::ServerTotal], expected);
}

#[test]
fn a_histogram_that_is_none_is_left_out() {
    #[track_caller]
    fn check(page: &str) {
        assert_eq!(read(page).histograms.len(), 0, "{page}");
    }
    check("tgi_request_duration_count 3");
    check("tgi_request_duration_sum 3");
    check("tgi_request_duration_sum NaN\ntgi_request_duration_count 1");
    check("tgi_request_duration_sum 1\ntgi_request_duration_count 1e300");
    check("tgi_request_duration_sum 1\ntgi_request_duration_count 1\ntgi_request_duration_bucket{le=\"1\"} 2");
    let falling = "tgi_request_duration_bucket{le=\"1\"} 2\ntgi_request_duration_bucket{le=\"2\"} 1\n";
    check(&format!("{falling}tgi_request_duration_sum 1\ntgi_request_duration_count 3"));
}

#[test]
fn a_summary_without_buckets_still_has_a_mean() {
    let page = "tgi_request_duration{quantile=\"0.5\"} 1\ntgi_request_duration_sum 6\ntgi_request_duration_count 3\n";
    let expected = Histogram { bounds: vec![], counts: vec![], count: 3, sum: 6e9 };
    assert_eq!(read(page).histograms[&Metric::ServerTotal], expected);
}

/// As dcgm-exporter renders it.
const DCGM: &str = r#"
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-aa",pci_bus_id="00000000:07:00.0",device="nvidia0",modelName="NVIDIA H100",hostname="a"} 87
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-bb",device="nvidia1",modelName="NVIDIA H100",hostname="a"} 9223372036854775794
DCGM_FI_PROF_GR_ENGINE_ACTIVE{gpu="1",UUID="GPU-bb"} 0.25
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-aa"} 512.5
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-bb"} 140737488355328
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-aa",pod="x"} 2500000
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-aa",pod="y"} 2500000
DCGM_FI_DEV_FB_USED{gpu="0",UUID="GPU-aa"} 1024
DCGM_FI_DEV_FB_USED{gpu="1",UUID="GPU-bb"} 2147483634
DCGM_FI_DEV_GPU_TEMP{gpu="0",UUID="GPU-aa"} 60
"#;

#[test]
fn gpus_in_joules_bytes_and_shares_without_what_they_do_not_have() {
    let sample = read(DCGM);
    assert_eq!(sample.engine, "");
    let full = GpuSample {
        gpu: "GPU-aa".into(),
        busy: Some(0.87),
        power_w: Some(512.5),
        energy_j: Some(2500.0),
        memory_used_bytes: Some(1 << 30),
    };
    let bare = GpuSample { gpu: "GPU-bb".into(), busy: Some(0.25), ..GpuSample::default() };
    assert_eq!(sample.gpus, [full, bare]);
}

#[test]
fn a_gpus_name_is_plain_text_whatever_the_page_says() {
    let page = "DCGM_FI_DEV_GPU_UTIL{gpu=\"\u{1b}[2J<b>0\"} 1\n";
    assert_eq!(read(page).gpus[0].gpu, "2Jb0");
}

#[test]
fn absent_values_are_absent() {
    let page = "vllm:num_requests_running NaN\nvllm:num_requests_waiting -1\nvllm:prompt_tokens_total +Inf\nvllm:generation_tokens_total 9.3e18\n";
    assert_eq!(read(page), ServerSample { engine: "vllm".into(), ..ServerSample::default() });
}

#[test]
fn a_page_of_strangers_is_empty() {
    assert_eq!(read("go_goroutines 7\nvllmx:num_requests_running 3\ntgi:queue_size 3\n"), ServerSample::default());
    assert_eq!(read(""), ServerSample::default());
}

#[test]
fn the_first_engine_of_a_page_is_the_one_that_is_read() {
    let sample = read("tgi_queue_size 3\nvllm:num_requests_waiting 4\n");
    assert_eq!((sample.engine.as_str(), sample.waiting), ("tgi", Some(3.0)));
}

#[track_caller]
fn check_wrong(page: &str, expected: &str) {
    assert_eq!(server_sample(page).unwrap_err().to_string(), expected);
}

#[test]
fn other_formats_are_told_apart() {
    check_wrong("<!DOCTYPE html><html></html>", "the metrics page is HTML, not Prometheus text");
    check_wrong(" [{\"iter\": 1}]", "the metrics page is JSON, not Prometheus text");
    check_wrong("{\"detail\": \"no\"}", "the metrics page is JSON, not Prometheus text");
    check_wrong("not found", "line 1 of the metrics page is not understood: a value expected at `found`");
}

#[test]
fn pages_are_bounded() {
    check_wrong(&" ".repeat(PAGE_BYTES + 1), "the metrics page has more than 8388608 bytes");
    check_wrong(&"x 1\n".repeat(200_001), "the metrics page has more than 200000 series");
    let numbered = |line: fn(u32) -> String| (0..1100).map(line).collect::<Vec<_>>().join("\n");
    let buckets = numbered(|le| format!("tgi_request_duration_bucket{{le=\"{le}\"}} 1"));
    check_wrong(&buckets, "the metrics page has more than 256 buckets in a histogram");
    let gpus = numbered(|gpu| format!("DCGM_FI_DEV_GPU_UTIL{{gpu=\"{gpu}\"}} 1"));
    assert!(matches!(server_sample(&gpus), Err(PageError::TooLarge { what: "GPUs", .. })));
}
