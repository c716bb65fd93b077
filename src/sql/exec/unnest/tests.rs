//! Rows beside the elements of their arrays: which come, which stay without any, and in parts of what size.

#![allow(clippy::unwrap_used)]

use arrow::array::{Array, ArrayRef, AsArray, Int32Array, Int64Array, ListArray, StringArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion_physical_expr::expressions::{cast, col};

use super::*;
use crate::connectors::contract::RawRecord;
use crate::sql::exec::chunk::Origins;
use crate::sql::plan::stream::UnnestArray;

type Row<'a> = (i64, Option<&'a [Option<i64>]>);

fn lists(rows: &[Row<'_>]) -> ArrayRef {
    Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(rows.iter().map(|row| row.1.map(<[_]>::to_vec))))
}

/// Rows `id, xs, ys`, where `ys` are the same arrays from the last row to the first.
fn chunk(rows: &[Row<'_>]) -> Chunk {
    let ids = Arc::new(Int64Array::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef;
    let turned: Vec<Row<'_>> = rows.iter().rev().copied().collect();
    let batch = RecordBatch::try_from_iter([("id", ids), ("xs", lists(rows)), ("ys", lists(&turned))]).unwrap();
    Chunk::inserts(batch, rows.iter().map(|row| row.0 * 10).collect())
}

/// `id`, the elements of arrays, and their places.
fn unnest(arrays: &[&str], is_outer: bool, chunk: &Chunk) -> Unnest {
    let schema = chunk.batch.schema();
    let number = |name: &str| Field::new(name, DataType::Int64, true);
    let mut fields = vec![number("id")];
    fields.extend(arrays.iter().map(|name| number(name)));
    fields.push(number("place"));
    let array = |name: &&str| UnnestArray { array: col(name, &schema).unwrap(), depth: 1 };
    let columns = std::iter::once(UnnestColumn::Carried(0))
        .chain((0..arrays.len()).map(UnnestColumn::Element))
        .chain([UnnestColumn::Ordinality])
        .collect();
    let node = UnnestNode { arrays: arrays.iter().map(array).collect(), columns, is_outer };
    Unnest::new(node, Arc::new(Schema::new(fields)))
}

/// What comes of a chunk, and in how many goes.
fn given(operator: &mut Unnest, chunk: Chunk) -> (Vec<Chunk>, Vec<usize>, Output) {
    let mut out = Output::default();
    operator.push(0, chunk, &mut out).unwrap();
    let (mut chunks, mut goes) = (std::mem::take(&mut out.chunks), Vec::new());
    goes.push(chunks.len());
    while operator.has_more() {
        let mut more = Output::default();
        operator.go_on(&mut more).unwrap();
        goes.push(more.chunks.len());
        chunks.extend(more.chunks);
    }
    (chunks, goes, out)
}

fn rows(chunks: &[Chunk]) -> Vec<Vec<Option<i64>>> {
    let of_chunk = |chunk: &Chunk| {
        let columns: Vec<_> =
            chunk.batch.columns().iter().map(|column| column.as_primitive::<Int64Type>().clone()).collect();
        (0..chunk.rows())
            .map(|row| columns.iter().map(|column| column.is_valid(row).then(|| column.value(row))).collect())
            .collect::<Vec<_>>()
    };
    chunks.iter().flat_map(of_chunk).collect()
}

const ROWS: [Row<'static>; 5] = [
    (1, Some(&[Some(7), None])),
    (2, None),
    (3, Some(&[])),
    (4, Some(&[Some(9)])),
    (5, Some(&[Some(5), Some(6), Some(7)])),
];

#[test]
fn a_row_comes_once_for_each_element_and_its_time_and_record_with_it() {
    let mut chunk = chunk(&ROWS);
    let records = Arc::new((40..50).map(|offset| RawRecord { offset, ..RawRecord::default() }).collect::<Vec<_>>());
    chunk.origins = Some(Origins { records, rows: UInt32Array::from(vec![5, 6, 7, 8, 9]) });
    let (chunks, _, _) = given(&mut unnest(&["xs"], false, &chunk), chunk);
    let row = |id, x, place| vec![Some(id), x, Some(place)];
    let all = [
        row(1, Some(7), 1),
        row(1, None, 2),
        row(4, Some(9), 1),
        row(5, Some(5), 1),
        row(5, Some(6), 2),
        row(5, Some(7), 3),
    ];
    assert_eq!(rows(&chunks), all);
    assert_eq!(chunks[0].times.as_ref(), &[10, 10, 40, 50, 50, 50]);
    assert_eq!(chunks[0].origins.as_ref().unwrap().rows.values(), &[5, 5, 8, 9, 9, 9]);
}

#[test]
fn a_row_without_elements_stays_where_it_is_asked_to() {
    let chunk = chunk(&ROWS[1..4]);
    let (chunks, _, _) = given(&mut unnest(&["xs"], true, &chunk), chunk);
    assert_eq!(rows(&chunks), [vec![Some(2), None, None], vec![Some(3), None, None], vec![Some(4), Some(9), Some(1)]]);
}

#[test]
fn arrays_stand_side_by_side_and_the_shorter_one_is_filled_up() {
    let chunk = chunk(&[ROWS[0], ROWS[3], ROWS[1]]);
    let (chunks, _, _) = given(&mut unnest(&["xs", "ys"], false, &chunk), chunk);
    let found = rows(&chunks);
    assert_eq!(found[..2], [vec![Some(1), Some(7), None, Some(1)], vec![Some(1), None, None, Some(2)]]);
    assert_eq!(found[2], vec![Some(4), Some(9), Some(9), Some(1)]);
    assert_eq!(found[3..], [vec![Some(2), None, Some(7), Some(1)], vec![Some(2), None, None, Some(2)]]);
}

#[test]
fn of_an_update_the_elements_of_the_one_half_go_and_those_of_the_other_come() {
    let mut chunk = chunk(&[ROWS[0], ROWS[3]]);
    chunk.ops = Some(Int8Array::from(vec![Op::UpdateBefore as i8, Op::UpdateAfter as i8]));
    let (chunks, _, _) = given(&mut unnest(&["xs"], false, &chunk), chunk);
    let ops: Vec<Op> = (0..3).map(|row| chunks[0].op(row)).collect();
    assert_eq!(ops, [Op::Delete, Op::Delete, Op::Insert]);
}

#[test]
fn a_long_array_comes_in_parts_of_bounded_size_a_few_at_a_time() {
    let long: Vec<Option<i64>> = (0..200_000).map(Some).collect();
    let chunk = chunk(&[(1, Some(&long)), ROWS[3]]);
    let mut operator = unnest(&["xs"], false, &chunk);
    let (chunks, goes, _) = given(&mut operator, chunk);
    assert!(chunks.iter().all(|chunk| chunk.rows() <= BATCH_ROWS_MAX));
    assert!(goes.len() > 5 && goes.iter().all(|chunks| *chunks <= 4), "{goes:?}");
    let found = rows(&chunks);
    assert_eq!(found.len(), 200_001);
    assert!((0..200_000).all(|place| found[place] == [Some(1), Some(place as i64), Some(place as i64 + 1)]));
    assert_eq!(found[200_000], [Some(4), Some(9), Some(1)]);
    assert!(operator.snapshot().unwrap().is_empty() && operator.state_bytes() == 0, "it keeps nothing");
}

#[test]
fn a_wide_row_is_written_only_as_often_as_a_part_has_room_for() {
    let text = Arc::new(StringArray::from(vec!["x".repeat(1024 * 1024)])) as ArrayRef;
    let long: Vec<Option<i64>> = (0..100).map(Some).collect();
    let batch = RecordBatch::try_from_iter([("t", text), ("xs", lists(&[(1, Some(&long))]))]).unwrap();
    let node = UnnestNode {
        arrays: vec![UnnestArray { array: col("xs", &batch.schema()).unwrap(), depth: 1 }],
        columns: vec![UnnestColumn::Carried(0), UnnestColumn::Element(0)],
        is_outer: false,
    };
    let fields = vec![Field::new("t", DataType::Utf8, true), Field::new("x", DataType::Int64, true)];
    let mut operator = Unnest::new(node, Arc::new(Schema::new(fields)));
    let (chunks, _, _) = given(&mut operator, Chunk::inserts(batch, vec![0].into()));
    assert!(chunks.iter().all(|chunk| chunk.rows() <= PART_BYTES_MAX / (1024 * 1024)));
    assert_eq!(chunks.iter().map(Chunk::rows).sum::<usize>(), 100);
}

#[test]
fn fields_of_elements_are_columns_and_those_of_no_struct_are_null() {
    let fields =
        vec![Arc::new(Field::new("sku", DataType::Utf8, true)), Arc::new(Field::new("qty", DataType::Int64, true))];
    let structs = StructArray::new(
        fields.clone().into(),
        vec![Arc::new(StringArray::from(vec!["a", "b", "c"])), Arc::new(Int64Array::from(vec![1, 2, 3]))],
        Some(NullBuffer::from(vec![true, false, true])),
    );
    let item = Arc::new(Field::new_list_field(structs.data_type().clone(), true));
    let items = ListArray::new(item, OffsetBuffer::from_lengths([2, 1]), Arc::new(structs), None);
    let batch = RecordBatch::try_from_iter([("items", Arc::new(items) as ArrayRef)]).unwrap();
    let node = UnnestNode {
        arrays: vec![UnnestArray { array: col("items", &batch.schema()).unwrap(), depth: 1 }],
        columns: vec![UnnestColumn::Field(0, 1), UnnestColumn::Field(0, 0)],
        is_outer: false,
    };
    let schema = Schema::new(fields.into_iter().rev().collect::<Vec<_>>());
    let (chunks, _, _) = given(&mut Unnest::new(node, Arc::new(schema)), Chunk::inserts(batch, vec![0, 0].into()));
    let texts: Vec<_> = chunks[0].batch.column(1).as_string::<i32>().iter().collect();
    assert_eq!(texts, [Some("a"), None, Some("c")]);
    assert_eq!(
        chunks[0].batch.column(0).as_primitive::<Int64Type>().iter().collect::<Vec<_>>(),
        [Some(1), None, Some(3)]
    );
}

#[test]
fn arrays_in_arrays_come_to_their_innermost_elements() {
    let inner = ListArray::from_iter_primitive::<Int64Type, _, _>([
        Some(vec![Some(1), Some(2)]),
        None,
        Some(vec![]),
        Some(vec![Some(3)]),
    ]);
    let item = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
    let outer = ListArray::new(item, OffsetBuffer::from_lengths([3, 0, 1]), Arc::new(inner), None);
    let lists = Lists::of(&(Arc::new(outer) as ArrayRef), 2).unwrap();
    assert_eq!((0..3).map(|row| lists.length(row)).collect::<Vec<_>>(), [2, 0, 1]);
    let elements = lists.elements(&[(0, 0, 2), (2, 0, 1)]).unwrap();
    assert_eq!(elements.as_primitive::<Int64Type>().values(), &[1, 2, 3]);
}

#[test]
fn an_array_that_cannot_be_computed_is_a_bad_record_of_its_own() {
    let texts = Arc::new(StringArray::from(vec!["1", "no", "3"])) as ArrayRef;
    let ids = Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef;
    let item = Arc::new(Field::new_list_field(DataType::Utf8, true));
    let arrays = Arc::new(ListArray::new(item, OffsetBuffer::from_lengths([1, 1, 1]), texts, None)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("id", ids), ("xs", arrays)]).unwrap();
    let schema = batch.schema();
    let numbers = cast(col("xs", &schema).unwrap(), &schema, DataType::new_list(DataType::Int64, true)).unwrap();
    let node = UnnestNode {
        arrays: vec![UnnestArray { array: numbers, depth: 1 }],
        columns: vec![UnnestColumn::Element(0)],
        is_outer: false,
    };
    let output = Arc::new(Schema::new(vec![Field::new("x", DataType::Int64, true)]));
    let (chunks, _, out) = given(&mut Unnest::new(node, output), Chunk::inserts(batch, vec![10, 20, 30].into()));
    assert_eq!(rows(&chunks), [vec![Some(1)], vec![Some(3)]]);
    let bad: Vec<_> = out.bad.iter().map(|bad| (bad.record.timestamp_ms, bad.stage, bad.class)).collect();
    assert_eq!(bad, [(Some(20), "unnest", "cast")]);
}
