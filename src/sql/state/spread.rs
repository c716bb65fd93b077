//! State of some instances to the instances that there are now: each row to the one that its key's rows will come to.

use arrow::array::UInt32Array;
use arrow::compute::take_record_batch;

use crate::core::fault::Fault;
use crate::sql::exec::evaluate::arrow_fault;
use crate::sql::exec::exchange::instances_of;
use crate::sql::exec::operator::StateTable;

/// The tables of each of `instances` instances. Tables without a key go to all of them.
///
/// # Errors
/// A key of a type that has no hash.
pub fn spread(tables: Vec<StateTable>, instances: usize) -> Result<Vec<Vec<StateTable>>, Fault> {
    if instances == 1 {
        return Ok(vec![tables]);
    }
    let mut spread: Vec<Vec<StateTable>> = vec![Vec::new(); instances];
    for table in tables {
        if table.keys == 0 {
            for instance in &mut spread {
                instance.push(table.clone());
            }
            continue;
        }
        let rows = table.batch.num_rows();
        let targets = instances_of(&table.batch.columns()[..table.keys], rows, instances)?;
        let mut indices = vec![Vec::new(); instances];
        for (row, target) in targets.into_iter().enumerate() {
            indices[target as usize].push(row as u32);
        }
        for (instance, indices) in spread.iter_mut().zip(indices) {
            let batch = take_record_batch(&table.batch, &UInt32Array::from(indices)).map_err(arrow_fault)?;
            instance.push(StateTable { name: table.name.clone(), batch, keys: table.keys });
        }
    }
    Ok(spread)
}
