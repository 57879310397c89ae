package Dyn;
our $VERSION = Other->VERSION;
1;
