//! The options of one control protocol, in the order of our requests.

use super::{Context, Row};

/// A table of options.
pub(crate) trait Table {
    /// The state that the options share.
    type Context: Context;

    /// Iterates over the rows.
    fn rows(&self) -> impl Iterator<Item = &dyn Row<Self::Context>>;

    /// Iterates over the rows mutably.
    fn rows_mut(&mut self) -> impl Iterator<Item = &mut dyn Row<Self::Context>>;
}

/// Defines a [`Table`] with one row for each option: a name, and the type defined in its file. The type
/// implements [`Negotiate`](super::Negotiate), or at least [`Row`], and has a `new(&Config, &mut Context)`
/// that creates the option with nothing negotiated.
macro_rules! option_table {
    ($(#[$meta:meta])* struct $table:ident of $context:ty { $($row:ident: $option:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub(crate) struct $table {
            $(pub(super) $row: $option,)+
        }

        impl $table {
            pub(super) fn new(
                config: &<$context as $crate::negotiate::Context>::Config,
                context: &mut $context,
            ) -> $table {
                $table { $($row: <$option>::new(config, context),)+ }
            }
        }

        impl $crate::negotiate::Table for $table {
            type Context = $context;

            fn rows(&self) -> impl Iterator<Item = &dyn $crate::negotiate::Row<$context>> {
                [$(&self.$row as &dyn $crate::negotiate::Row<$context>,)+].into_iter()
            }

            fn rows_mut(&mut self) -> impl Iterator<Item = &mut dyn $crate::negotiate::Row<$context>> {
                [$(&mut self.$row as &mut dyn $crate::negotiate::Row<$context>,)+].into_iter()
            }
        }
    };
}

pub(crate) use option_table;
