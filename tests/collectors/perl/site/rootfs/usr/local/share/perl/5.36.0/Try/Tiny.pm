package Try::Tiny;
our $VERSION = '0.31';
1;
