//! What NVIDIA's DCGM exporter says of GPUs (`etc/default-counters.csv` of 4.8).

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use schema::server::GpuSample;

use super::PageError;
use super::text::Series;

/// GPUs of one page at most.
const GPUS: usize = 1024;
/// Bytes of a GPU's name that are kept.
const NAME_BYTES: usize = 64;
/// Bytes in a MiB.
const MIB: f64 = 1_048_576.0;

/// What a GPU can show. Fields that a device does not have come as huge sentinels: just below 2^31, at 2^47 or just
/// below 2^63, by their type.
const PERCENT: RangeInclusive<f64> = 0.0..=100.0;
const SHARE: RangeInclusive<f64> = 0.0..=1.0;
const WATTS: RangeInclusive<f64> = 0.0..=100_000.0;
const MILLIJOULES: RangeInclusive<f64> = 0.0..=9.2e18;
const MEBIBYTES: RangeInclusive<f64> = 0.0..=2e9;

/// The GPUs of a page, by name. The series of one GPU for the pods and MIG instances that share it are one: the
/// largest value counts, as each of them repeats the whole GPU's.
#[derive(Debug, Default)]
pub(super) struct Gpus(BTreeMap<String, Gpu>);

#[derive(Debug, Default)]
struct Gpu {
    sample: GpuSample,
    /// From the profiling counters: counts where the plain one is absent.
    engine_active: Option<f64>,
}

impl Gpus {
    /// Takes a series in, where it is one of ours.
    pub(super) fn fold(&mut self, series: &Series<'_>) -> Result<(), PageError> {
        let field = match series.name {
            "DCGM_FI_DEV_GPU_UTIL" => Field::Busy,
            "DCGM_FI_PROF_GR_ENGINE_ACTIVE" => Field::EngineActive,
            "DCGM_FI_DEV_POWER_USAGE" => Field::Power,
            "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION" => Field::Energy,
            "DCGM_FI_DEV_FB_USED" => Field::Memory,
            _ => return Ok(()),
        };
        let Some(name) = name(series) else { return Ok(()) };
        self.0.entry(name).or_default().take(field, series.value);
        if self.0.len() > GPUS {
            return Err(PageError::TooLarge { what: "GPUs", limit: GPUS });
        }
        Ok(())
    }

    pub(super) fn samples(self) -> Vec<GpuSample> {
        let sample = |(gpu, state): (String, Gpu)| {
            let busy = state.sample.busy.or(state.engine_active);
            GpuSample { gpu, busy, ..state.sample }
        };
        self.0.into_iter().map(sample).collect()
    }
}

#[derive(Debug, Clone, Copy)]
enum Field {
    Busy,
    EngineActive,
    Power,
    Energy,
    Memory,
}

impl Gpu {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within 0 and 2^51")]
    fn take(&mut self, field: Field, value: f64) {
        let Gpu { sample, engine_active } = self;
        match field {
            Field::Busy => largest(&mut sample.busy, value, &PERCENT, 0.01),
            Field::EngineActive => largest(engine_active, value, &SHARE, 1.0),
            Field::Power => largest(&mut sample.power_w, value, &WATTS, 1.0),
            Field::Energy => largest(&mut sample.energy_j, value, &MILLIJOULES, 0.001),
            Field::Memory => {
                let mut bytes = sample.memory_used_bytes.map(|bytes| bytes as f64);
                largest(&mut bytes, value, &MEBIBYTES, MIB);
                sample.memory_used_bytes = bytes.map(|bytes| bytes as u64);
            }
        }
    }
}

/// Keeps the larger, where the value is one that a GPU can show.
fn largest(kept: &mut Option<f64>, value: f64, possible: &RangeInclusive<f64>, unit: f64) {
    if possible.contains(&value) {
        *kept = Some(kept.unwrap_or(0.0).max(value * unit));
    }
}

/// The GPU's UUID, or else its number, with nothing in it but what such names have.
fn name(series: &Series<'_>) -> Option<String> {
    let said = series.labels.get("UUID").filter(|uuid| !uuid.is_empty()).or_else(|| series.labels.get("gpu"))?;
    let plain = |character: &char| character.is_ascii_alphanumeric() || "-_.:".contains(*character);
    let name: String = said.chars().filter(plain).take(NAME_BYTES).collect();
    (!name.is_empty()).then_some(name)
}
