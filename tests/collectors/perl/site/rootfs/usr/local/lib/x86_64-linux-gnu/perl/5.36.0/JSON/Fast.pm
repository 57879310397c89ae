package JSON::Fast;

=head1 NAME

 $VERSION = '9';

=cut

# $VERSION = '8';
use strict;
our $VERSION = "2.05";
1;
__END__
$VERSION = 7;
