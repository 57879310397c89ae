package Noted;
our $VERSION = compute();
1;
