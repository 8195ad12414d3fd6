//! Definition and repetition levels: how Parquet tells absent, empty and full apart.
//!
//! A value's definition level counts how many of the optional and repeated steps on the way to it
//! are there; its repetition level is 0 where a row begins and 1 where a list goes on. As in the
//! Dremel paper, for at most one list a column.

/// What a cell may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One value.
    Required,
    /// One value or none.
    Optional,
    /// Any number of values.
    List,
    /// No list, or any number of values.
    OptionalList,
}

impl Shape {
    /// Whether a cell may be absent.
    pub(super) const fn optional(self) -> bool {
        matches!(self, Self::Optional | Self::OptionalList)
    }

    /// Whether a cell is a list.
    pub(super) const fn list(self) -> bool {
        matches!(self, Self::List | Self::OptionalList)
    }
}

/// The values of a column with their levels.
#[derive(Debug)]
pub(super) struct Leaves<T> {
    shape: Shape,
    pub(super) values: Vec<T>,
    definition: Vec<i16>,
    repetition: Vec<i16>,
}

impl<T> Leaves<T> {
    pub(super) const fn new(shape: Shape) -> Self {
        Self { shape, values: Vec::new(), definition: Vec::new(), repetition: Vec::new() }
    }

    /// Adds a cell: absent, or its values. A cell that is no list has exactly one.
    pub(super) fn push(&mut self, cell: Option<impl IntoIterator<Item = T>>) {
        let there = i16::from(self.shape.optional());
        let row = self.definition.len();
        match cell {
            None => self.definition.push(0),
            Some(values) => {
                let before = self.values.len();
                self.values.extend(values);
                match self.values.len() - before {
                    0 => self.definition.push(there),
                    n => self.definition.extend(std::iter::repeat_n(there + i16::from(self.shape.list()), n)),
                }
            }
        }
        self.repetition.push(0);
        self.repetition.extend(std::iter::repeat_n(1, self.definition.len() - row - 1));
    }

    /// The definition levels, where the shape has any.
    pub(super) fn definition(&self) -> Option<&[i16]> {
        (self.shape != Shape::Required).then_some(&self.definition)
    }

    /// The repetition levels, where the shape has any.
    pub(super) fn repetition(&self) -> Option<&[i16]> {
        self.shape.list().then_some(&self.repetition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(
        shape: Shape,
        cells: &[Option<&[u8]>],
        values: &[u8],
        definition: Option<&[i16]>,
        repetition: Option<&[i16]>,
    ) {
        let mut leaves = Leaves::new(shape);
        for cell in cells {
            leaves.push(cell.map(|values| values.iter().copied()));
        }
        assert_eq!(
            (leaves.values.as_slice(), leaves.definition(), leaves.repetition()),
            (values, definition, repetition)
        );
    }

    #[test]
    fn a_required_column_has_no_levels() {
        check(Shape::Required, &[Some(&[7]), Some(&[8])], &[7, 8], None, None);
    }

    #[test]
    fn an_absent_value_has_a_level_and_no_value() {
        check(Shape::Optional, &[Some(&[7]), None, Some(&[8])], &[7, 8], Some(&[1, 0, 1]), None);
    }

    #[test]
    fn a_list_begins_a_row_once_and_an_empty_one_too() {
        let cells: &[Option<&[u8]>] = &[Some(&[1, 2, 3]), Some(&[]), Some(&[4])];
        check(Shape::List, cells, &[1, 2, 3, 4], Some(&[1, 1, 1, 0, 1]), Some(&[0, 1, 1, 0, 0]));
    }

    #[test]
    fn an_absent_list_differs_from_an_empty_one() {
        let cells: &[Option<&[u8]>] = &[None, Some(&[]), Some(&[1, 2])];
        check(Shape::OptionalList, cells, &[1, 2], Some(&[0, 1, 2, 2]), Some(&[0, 0, 0, 1]));
    }
}
