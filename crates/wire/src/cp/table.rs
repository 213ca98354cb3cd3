//! The table of a control protocol's options.

/// Defines the enum of a control protocol's options from one row for each: a variant with the type defined in
/// its file (a [`ConfigOption`](super::ConfigOption)), and, under `named`, the Type octets of which only the
/// name is known.
macro_rules! option_table {
    (
        $(#[$meta:meta])*
        pub enum $table:ident<$a:lifetime> {
            $($(#[$doc:meta])* $row:ident($option:ty),)+
        }
        named { $($kind:pat => $name:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $table<$a> {
            $($(#[$doc])* $row($option),)+
            /// An option that is not supported.
            Other($crate::cp::UnknownOption<$a>),
        }

        impl<$a> $table<$a> {
            /// Parses an option.
            ///
            /// # Errors
            /// If the Length is wrong for the type.
            pub fn parse(opt: &$crate::cp::Opt<$a>) -> $crate::Result<$table<$a>> {
                $(if let Some(parsed) = <$option as $crate::cp::ConfigOption>::parse(opt) {
                    return parsed.map($table::$row);
                })+
                Ok($table::Other($crate::cp::UnknownOption { kind: opt.kind, data: opt.data }))
            }

            /// Appends the option.
            pub fn emit(&self, out: &mut Vec<u8>) {
                match self {
                    $($table::$row(option) => $crate::cp::ConfigOption::emit(option, out),)+
                    $table::Other(option) => $crate::cp::push_option(out, option.kind, option.data),
                }
            }

            /// The name of a Type octet, for display.
            pub fn name(kind: u8) -> Option<&'static str> {
                $(if <$option as $crate::cp::ConfigOption>::is_kind(kind) {
                    return Some(<$option as $crate::cp::ConfigOption>::NAME);
                })+
                match kind {
                    $($kind => Some($name),)*
                    _ => None,
                }
            }
        }

        impl ::core::fmt::Display for $table<'_> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                match self {
                    $($table::$row(option) => ::core::fmt::Display::fmt(option, f),)+
                    $table::Other(option) => option.show(f, $table::name(option.kind)),
                }
            }
        }
    };
}

pub(crate) use option_table;
