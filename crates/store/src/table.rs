//! Records as a Parquet table, for notebooks and BI tools: one row a record, facts only.
//!
//! Integers are 64-bit and signed, so that differences of instants may be negative in any tool;
//! instants are nanoseconds of the run's clock. What happened to each event stands in lists of one
//! length, one a column.

mod columns;
mod levels;

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int64Type};
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{ColumnPath, Type};
use schema::event::Event;
use schema::manifest::Manifest;
use schema::record::Record;
use schema::target::Target;
use schema::text::Untrusted;

use crate::StoreError;
use columns::{COLUMNS, Cells, Column};
use levels::{Leaves, Shape};

/// When a row group is full.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupLimits {
    /// Records at most.
    pub(crate) rows: usize,
    /// Bytes in memory, give or take one record: counts where answers are long.
    pub(crate) bytes: usize,
}

/// The limits of the tables of a run.
pub(crate) const GROUP: GroupLimits = GroupLimits { rows: 20_000, bytes: 16 << 20 };

/// One record with what is known of its run and target.
struct Row<'a> {
    run_id: &'a str,
    target: &'a Target,
    record: &'a Record,
}

/// A table being written. Holds one row group of records at a time.
pub(crate) struct Table<'a> {
    writer: SerializedFileWriter<&'a mut File>,
    path: PathBuf,
    run_id: String,
    target: &'a Target,
    limits: GroupLimits,
    group: Vec<Record>,
    bytes: usize,
}

impl<'a> Table<'a> {
    /// A table of the records of `target`, to be written to `file`, which `path` names in errors.
    pub(crate) fn new(
        file: &'a mut File,
        path: &Path,
        manifest: &Manifest,
        target: &'a Target,
        limits: GroupLimits,
    ) -> Result<Self, StoreError> {
        let made = message()
            .and_then(|message| SerializedFileWriter::new(file, Arc::new(message), Arc::new(properties(manifest))));
        let writer = made.map_err(|source| StoreError::Parquet { path: path.to_owned(), source })?;
        let run_id = manifest.run_id.to_string();
        Ok(Self { writer, path: path.to_owned(), run_id, target, limits, group: Vec::new(), bytes: 0 })
    }

    /// Takes the next row.
    pub(crate) fn push(&mut self, record: Record) -> Result<(), StoreError> {
        self.bytes += bytes_of(&record);
        self.group.push(record);
        let full = self.group.len() >= self.limits.rows || self.bytes >= self.limits.bytes;
        if full { self.write_group() } else { Ok(()) }
    }

    /// Writes what is left and the footer.
    pub(crate) fn close(mut self) -> Result<(), StoreError> {
        self.write_group()?;
        let Self { writer, path, .. } = self;
        writer.close().map_err(|source| StoreError::Parquet { path, source })?;
        Ok(())
    }

    fn write_group(&mut self) -> Result<(), StoreError> {
        if self.group.is_empty() {
            return Ok(());
        }
        self.write_columns().map_err(|source| StoreError::Parquet { path: self.path.clone(), source })?;
        self.group.clear();
        self.bytes = 0;
        Ok(())
    }

    fn write_columns(&mut self) -> ParquetResult<()> {
        let (run_id, target) = (self.run_id.as_str(), self.target);
        let rows: Vec<Row<'_>> = self.group.iter().map(|record| Row { run_id, target, record }).collect();
        let mut group = self.writer.next_row_group()?;
        for column in COLUMNS {
            let mut writer = group.next_column()?.expect("the table has a column for each of its columns");
            column.write(&rows, &mut writer)?;
            writer.close()?;
        }
        group.close()?;
        Ok(())
    }
}

impl Column {
    /// Writes this column of all rows of a group.
    fn write(&self, rows: &[Row<'_>], to: &mut SerializedColumnWriter<'_>) -> ParquetResult<()> {
        let shape = self.cells.shape();
        let rows = rows.iter();
        match self.cells {
            Cells::Int(get) => write::<Int64Type, _>(shape, rows.map(|r| Some([get(r)])), to),
            Cells::MaybeInt(get) => write::<Int64Type, _>(shape, rows.map(|r| get(r).map(|v| [v])), to),
            Cells::Flag(get) => write::<BoolType, _>(shape, rows.map(|r| Some([get(r)])), to),
            Cells::Text(get) => write::<ByteArrayType, _>(shape, rows.map(|r| Some([text(get(r))])), to),
            Cells::MaybeText(get) => write::<ByteArrayType, _>(shape, rows.map(|r| get(r).map(|v| [text(v)])), to),
            Cells::EventInt(get) => write::<Int64Type, _>(shape, rows.map(|r| Some(events(r).map(|e| get(&e)))), to),
            Cells::EventFlag(get) => write::<BoolType, _>(shape, rows.map(|r| Some(events(r).map(|e| get(&e)))), to),
            Cells::EventWord(get) => {
                let word = |event: Event| ByteArray::from(Bytes::from_static(get(&event).as_bytes()));
                write::<ByteArrayType, _>(shape, rows.map(|r| Some(events(r).map(word))), to)
            }
            Cells::Pieces(get) => {
                let piece = |piece: &Untrusted| ByteArray::from(piece.raw().as_bytes().to_vec());
                write::<ByteArrayType, _>(shape, rows.map(|r| get(r).map(|all| all.iter().map(piece))), to)
            }
        }
    }

    /// How this column stands in the schema of the file.
    fn field(&self) -> ParquetResult<Type> {
        let value = |name, repetition| {
            let logical = (self.cells.physical() == Physical::BYTE_ARRAY).then_some(LogicalType::String);
            Type::primitive_type_builder(name, self.cells.physical())
                .with_repetition(repetition)
                .with_logical_type(logical)
                .build()
        };
        let shape = self.cells.shape();
        let outer = if shape.optional() { Repetition::OPTIONAL } else { Repetition::REQUIRED };
        if !shape.list() {
            return value(self.name, outer);
        }
        let item = value("element", Repetition::REQUIRED)?;
        let list = Type::group_type_builder("list")
            .with_repetition(Repetition::REPEATED)
            .with_fields(vec![Arc::new(item)])
            .build()?;
        Type::group_type_builder(self.name)
            .with_repetition(outer)
            .with_logical_type(Some(LogicalType::List))
            .with_fields(vec![Arc::new(list)])
            .build()
    }

    /// The column's path below the schema's root.
    fn path(&self) -> ColumnPath {
        let below: &[&str] = if self.cells.shape().list() { &["list", "element"] } else { &[] };
        ColumnPath::new([self.name].iter().chain(below).map(|part| (*part).to_owned()).collect())
    }
}

/// Writes cells with the levels that their shape asks for.
fn write<D: DataType, C: IntoIterator<Item = D::T>>(
    shape: Shape,
    cells: impl Iterator<Item = Option<C>>,
    to: &mut SerializedColumnWriter<'_>,
) -> ParquetResult<()> {
    let mut leaves = Leaves::new(shape);
    cells.for_each(|cell| leaves.push(cell));
    to.typed::<D>().write_batch(&leaves.values, leaves.definition(), leaves.repetition())?;
    Ok(())
}

/// About how much memory the long parts of a record take, in it and as cells.
fn bytes_of(record: &Record) -> usize {
    let text: usize = record.output.iter().flatten().map(|piece| piece.raw().len()).sum();
    64 * record.events.len() + text
}

fn events<'a>(row: &Row<'a>) -> impl Iterator<Item = Event> + use<'a> {
    row.record.events.iter()
}

fn text(text: Cow<'_, str>) -> ByteArray {
    ByteArray::from(text.into_owned().into_bytes())
}

/// The schema of the file.
fn message() -> ParquetResult<Type> {
    let fields = COLUMNS.iter().map(|column| column.field().map(Arc::new)).collect::<ParquetResult<_>>()?;
    Type::group_type_builder("requests").with_fields(fields).build()
}

fn properties(manifest: &Manifest) -> WriterProperties {
    let entry = |key: &str, value: String| KeyValue::new(key.to_owned(), value);
    let facts = vec![
        entry("speed_kings.format_version", manifest.format_version.to_string()),
        entry("speed_kings.run_id", manifest.run_id.to_string()),
        entry("speed_kings.simulated", manifest.simulated.to_string()),
        entry("speed_kings.epoch", manifest.epoch.wall.to_string()),
    ];
    let general = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(format!("speed-kings {}", manifest.program_version))
        .set_key_value_metadata(Some(facts));
    // Instants hardly ever repeat, so a dictionary is no use to them, and their differences are small.
    let instants = COLUMNS.iter().filter(|column| column.name.ends_with("_ns")).map(Column::path);
    instants
        .fold(general, |properties, path| {
            properties
                .set_column_dictionary_enabled(path.clone(), false)
                .set_column_encoding(path, Encoding::DELTA_BINARY_PACKED)
        })
        .build()
}
